"""What ghostnote wants to reach, and whether a report says that it does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

_GROUPS: Final = 3
"""A class counts on its own with so many groups."""


@dataclass(frozen=True)
class Target:
    """One aim."""

    name: str
    low: float
    high: float
    value: Callable[[Mapping[str, Any]], float]
    """Reads the figure from a report; `KeyError` where the report lacks it."""


@dataclass(frozen=True)
class Outcome:
    """What a report says of one aim."""

    name: str
    value: float
    low: float
    high: float

    @property
    def met(self) -> bool:
        """Whether the figure lies within the bounds."""
        return self.low <= self.value <= self.high


def targets(report: Mapping[str, Any]) -> list[Outcome]:
    """Return the outcome of every aim that the report has a figure for."""
    found = []
    for target in (*_TARGETS, *_class_spreads(report)):
        try:
            found.append(Outcome(target.name, float(target.value(report)), target.low, target.high))
        except KeyError:
            continue
    return found


def _class_spreads(report: Mapping[str, Any]) -> list[Target]:
    """Return the spread's aim for each class that has groups enough."""
    classes = report.get("spread", {}).get("model", {}).get("beside_real", {}).get("lmd", {})
    return [
        Target(f"spread ratio, {name}", 0.8, 1.25, _figure("spread", "model", "beside_real", "lmd", name))
        for name, figure in classes.items()
        if name != "all" and figure["groups"] >= _GROUPS
    ]


def _figure(*keys: str) -> Callable[[Mapping[str, Any]], float]:
    def read(report: Mapping[str, Any]) -> float:
        found: Any = report
        for key in (*keys, "value"):
            found = found[key]
        return float(found)

    return read


def _identity_lost(report: Mapping[str, Any]) -> float:
    identity = report["identity"]
    return 100 * float(identity["real"]["all"]["value"] - identity["model"]["all"]["value"])


def _frechet_ratio(section: str, kind: str) -> Callable[[Mapping[str, Any]], float]:
    def read(report: Mapping[str, Any]) -> float:
        found = report["new"]["distributions"][section]
        return float(found["model"]["frechet"] / found[kind]["frechet"])

    return read


def _tonality_lost(name: str) -> Callable[[Mapping[str, Any]], float]:
    def read(report: Mapping[str, Any]) -> float:
        found = report["new"]["tonality"][name]
        return float(found["model"]["prominence_db"]["value"] - found["corpus"]["prominence_db"]["value"])

    return read


_ANY: Final = float("inf")
_TARGETS: Final = (
    Target("spread ratio, all", 0.8, 1.25, _figure("spread", "model", "beside_real", "lmd", "all")),
    Target(
        "correlation beside real", -0.1, 0.1, _figure("spread", "model", "beside_real", "correlation", "all")
    ),
    Target("bias of centroid, %", -10, 10, _figure("bias", "model", "centroid_percent", "all")),
    Target("bias of T20, %", -10, 10, _figure("bias", "model", "t20_percent", "all")),
    Target("told from real strokes", 0, 0.65, _figure("judge", "model", "all", "accuracy", "all")),
    Target("DSP jitter told from real strokes", 0.9, 1, _figure("judge", "jitter", "all", "accuracy", "all")),
    Target("identity lost, points", -_ANY, 3, _identity_lost),
    Target("velocity, distance over scaled", 0, 0.7, _figure("velocity", "ratio_to_scaled", "all")),
    Target("Fréchet distance over real", 0, 1.3, _frechet_ratio("all", "train")),
    Target("Fréchet distance over the peer's", 0, 0.5, _frechet_ratio("beside the peer", "peer")),
    Target("tonality of new kicks beside the corpus, dB", -3, 3, _tonality_lost("kick")),
    Target("tonality of new toms beside the corpus, dB", -3, 3, _tonality_lost("tom")),
)
