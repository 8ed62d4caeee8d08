"""The quality that ghostnote aims for, and whether a report shows it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

REPORT_FORMAT: Final = 2
"""The version of the keys in a report."""
_ANY: Final = float("-inf")
_LEAST_DRUMS: Final = 3
"""Drums of a class for which it has a target of its own."""

Report = Mapping[str, Any]
_Reader = Callable[[Report], float]
"""Reads a value from a report; `KeyError` where the report lacks it."""


@dataclass(frozen=True)
class TargetResult:
    """What a report shows for one target."""

    name: str
    low: float
    high: float
    value: float

    @property
    def met(self) -> bool:
        """Whether the value lies within the bounds."""
        return self.low <= self.value <= self.high

    @property
    def bounds(self) -> str:
        """The bounds in words."""
        return f"at most {self.high:g}" if self.low in (0, _ANY) else f"{self.low:g} to {self.high:g}"


def targets(report: Report) -> list[TargetResult]:
    """Return the result of every target that the report has a value for."""
    found = []
    for name, low, high, read in (*_TARGETS, *_class_targets(report)):
        try:
            found.append(TargetResult(name, low, high, read(report)))
        except KeyError:
            continue
    return found


def _class_targets(report: Report) -> list[tuple[str, float, float, _Reader]]:
    """Return the target of the diversity ratio for each class with enough drums."""
    classes = report.get("diversity", {}).get("model", {}).get("beside_real", {}).get("lmd", {})
    return [
        (f"diversity ratio, {name}", 0.8, 1.25, _value(f"diversity/model/beside_real/lmd/{name}"))
        for name, found in classes.items()
        if name != "all" and found["groups"] >= _LEAST_DRUMS
    ]


def _at(report: Report, path: str) -> float:
    found: Any = report
    for key in path.split("/"):
        found = found[key]
    return float(found)


def _value(path: str) -> _Reader:
    return lambda report: _at(report, f"{path}/value")


def _ratio(path: str, to: str) -> _Reader:
    return lambda report: _at(report, path) / _at(report, to)


def _difference(path: str, less: str, scale: float = 1) -> _Reader:
    return lambda report: scale * (_at(report, f"{path}/value") - _at(report, f"{less}/value"))


def _prominence(name: str) -> _Reader:
    path = f"new/tonality/{name}"
    return _difference(f"{path}/model/prominence_db", f"{path}/corpus/prominence_db")


def _frechet(section: str, to: str) -> _Reader:
    path = f"new/distributions/{section}"
    return _ratio(f"{path}/model/frechet", f"{path}/{to}/frechet")


_TARGETS: Final[tuple[tuple[str, float, float, _Reader], ...]] = (
    ("diversity ratio, all", 0.8, 1.25, _value("diversity/model/beside_real/lmd/all")),
    ("correlation beside real", -0.1, 0.1, _value("diversity/model/beside_real/correlation/all")),
    ("bias of centroid, %", -10, 10, _value("bias/model/centroid_percent/all")),
    ("bias of T20, %", -10, 10, _value("bias/model/t20_percent/all")),
    ("C2ST accuracy", 0, 0.65, _value("c2st/model/all/c2st_accuracy/all")),
    ("C2ST accuracy of the DSP baseline", 0.9, 1, _value("c2st/dsp_baseline/all/c2st_accuracy/all")),
    (
        "retrieval accuracy lost, points",
        _ANY,
        3,
        _difference("retrieval_accuracy/real/all", "retrieval_accuracy/model/all", 100),
    ),
    ("velocity, distance over scaled", 0, 0.7, _value("velocity/ratio_to_scaled/all")),
    ("Fréchet distance over real", 0, 1.3, _frechet("all", "train")),
    ("Fréchet distance over the peer's", 0, 0.5, _frechet("beside the peer", "peer")),
    ("tonality of new kicks beside the corpus, dB", -3, 3, _prominence("kick")),
    ("tonality of new toms beside the corpus, dB", -3, 3, _prominence("tom")),
)
