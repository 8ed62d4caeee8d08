"""The quality that ghostnote aims for, and whether a report shows it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.models.data.trial_set import LEAST_DRUMS
from ghostnote.models.evaluate.layers import MANY, ONE
from ghostnote.models.evaluate.stroke_lines import ATTACK_SPURIOUS, BANDS, SPURIOUS, SPURIOUS_SHARES

REPORT_FORMAT: Final = 3
"""The version of the keys in a report."""
_ANY: Final = float("-inf")
_RINGING: Final = ("ride", "crash", "open_hat", "closed_hat", "pedal_hat", "snare", "tom", "kick")
"""Classes whose new drums should have the lines of the corpus's."""

Report = Mapping[str, Any]
_Reader = Callable[[Report], float]
"""Reads a value from a report; `KeyError` where the report lacks it."""
_Target = tuple[str, float, float, _Reader]
"""A name, the bounds and what reads the value."""


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


def _class_targets(report: Report) -> list[_Target]:
    """Return the targets of each class with enough drums."""
    ratio, spurious = "diversity/model/beside_real/lmd", "drums/spurious/model"
    found = [(f"diversity ratio, {name}", 0.8, 1.25, _value(f"{ratio}/{name}")) for name in _claimed(report, ratio)]
    found += [
        (f"spurious lines, {name}, dB", _ANY, -50, _value(f"{spurious}/{name}")) for name in _claimed(report, spurious)
    ]
    for name in CLASS_NAMES:
        found.append((f"line prominence beside real, {name}, dB", -3, 3, _stroke_prominence(name)))
    for name in _RINGING:
        found.append((f"line prominence of new drums, {name}, dB", -4, 4, _new_prominence(name)))
    return found


def _claimed(report: Report, path: str) -> list[str]:
    """Return the classes with enough drums among the estimates at `path`; none where the report lacks it."""
    try:
        found = _found(report, path)
    except KeyError:
        return []
    return [name for name, own in found.items() if name != "all" and own["groups"] >= LEAST_DRUMS]


def _stroke_prominence(name: str) -> _Reader:
    """Read the difference from real strokes in the band in which a class's are farthest from them."""

    def read(report: Report) -> float:
        paths = [f"lines/{band}/difference" for band in BANDS]
        return _farthest([_at(report, f"{path}/{name}/value") for path in paths if name in _claimed(report, path)])

    return read


def _new_prominence(name: str) -> _Reader:
    """Read the difference from the corpus in the band in which a class's new drums are farthest from it."""

    def read(report: Report) -> float:
        kinds = _found(report, f"new/lines/{name}")
        bands = [band for band in BANDS if min(found[band]["groups"] for found in kinds.values()) >= LEAST_DRUMS]
        return _farthest([kinds["model"][band]["value"] - kinds["corpus"][band]["value"] for band in bands])

    return read


def _farthest(differences: list[float]) -> float:
    if not differences:
        raise KeyError("no band has enough drums")
    return max(differences, key=abs)


def _worst_class(path: str, worst: Callable[[list[float]], float]) -> _Reader:
    """Read the value of the class for which it is worst."""

    def read(report: Report) -> float:
        values = [_at(report, f"{path}/{name}/value") for name in _claimed(report, path)]
        return worst(values or [_at(report, f"{path}/all/value")])

    return read


def _outside(report: Report) -> float:
    """Read how far the 10 and 90 % of new kicks' strongest partial lie outside the corpus's, in Hz."""
    made, real = (_found(report, f"new/tonality/kick/{kind}/partial_hz_range") for kind in ("model", "corpus"))
    return max(0.0, float(real["p10"] - made["p10"]), float(made["p90"] - real["p90"]))


def _found(report: Report, path: str) -> Any:
    found: Any = report
    for key in path.split("/"):
        found = found[key]
    return found


def _at(report: Report, path: str) -> float:
    return float(_found(report, path))


def _value(path: str) -> _Reader:
    return lambda report: _at(report, f"{path}/value")


def _ratio(path: str, to: str) -> _Reader:
    return lambda report: _at(report, path) / _at(report, to)


def _difference(path: str, less: str, scale: float = 1) -> _Reader:
    return lambda report: scale * (_at(report, f"{path}/value") - _at(report, f"{less}/value"))


def _prominence(name: str) -> _Reader:
    path = f"new/tonality/{name}"
    return _difference(f"{path}/model/prominence_db", f"{path}/corpus/prominence_db")


def _share_beside_real(name: str) -> _Reader:
    path = f"lines/{SPURIOUS_SHARES[name]}"
    return _difference(f"{path}/model/all", f"{path}/real/all", 100)


def _known_strokes(report: Report) -> float:
    """Read how much lower the C2ST accuracy is where all strokes are known."""
    many, one = (_at(report, f"known_strokes/{kind}/all/c2st_accuracy/all/value") for kind in (MANY, ONE))
    return many - one


def _frechet(section: str, to: str) -> _Reader:
    path = f"new/distributions/{section}"
    return _ratio(f"{path}/model/frechet", f"{path}/{to}/frechet")


_TARGETS: Final[tuple[_Target, ...]] = (
    ("diversity ratio, all", 0.8, 1.25, _value("diversity/model/beside_real/lmd/all")),
    ("correlation beside real", -0.1, 0.1, _value("diversity/model/beside_real/correlation/all")),
    ("bias of centroid, %", -10, 10, _value("bias/model/centroid_percent/all")),
    ("bias of T20, %", -10, 10, _value("bias/model/t20_percent/all")),
    ("bias of the first 5 ms, dB", -0.5, 0.5, _value("bias/model/attack_db/all")),
    ("C2ST accuracy", 0, 0.65, _value("c2st/model/all/c2st_accuracy/all")),
    ("C2ST accuracy of the DSP baseline", 0.9, 1, _value("c2st/dsp_baseline/all/c2st_accuracy/all")),
    (
        "retrieval accuracy lost, points",
        _ANY,
        3,
        _difference("retrieval_accuracy/real/all", "retrieval_accuracy/model/all", 100),
    ),
    ("velocity, distance over scaled", 0, 0.7, _value("velocity/ratio_to_scaled/all")),
    ("velocity between layers, remaining distance", _ANY, 0.5, _value("layers/between/remaining/all")),
    ("its slope of the centroid over real", 0.75, 1.25, _value("layers/between/slopes/centroid")),
    ("its slope of T20 over real", 0.75, 1.25, _value("layers/between/slopes/t20")),
    ("C2ST accuracy, all strokes known less one", _ANY, -0.03, _known_strokes),
    ("Fréchet distance over real", 0, 1.3, _frechet("all", "train")),
    ("Fréchet distance over the peer's", 0, 0.5, _frechet("beside the peer", "peer")),
    ("tonality of new kicks beside the corpus, dB", -3, 3, _prominence("kick")),
    ("tonality of new toms beside the corpus, dB", -3, 3, _prominence("tom")),
    ("strongest partial of new kicks, Hz", 45, 60, _value("new/tonality/kick/model/partial_hz")),
    ("its 10 and 90 % outside the corpus's, Hz", 0, 0, _outside),
    ("ripple of the main partial beside real, dB", -0.7, 0.7, _value("lines/ripple/difference/all")),
    ("strokes with spurious lines beside real, points", _ANY, 0, _share_beside_real(SPURIOUS)),
    ("the same in the first 0.1 s", _ANY, 0, _share_beside_real(ATTACK_SPURIOUS)),
    ("curve over the amount beside a line, worst class", 0, 0.25, _worst_class("amount_curve/departure", max)),
    ("correlation at amount 0.01, lowest class", 0.999, 1, _worst_class("amount_curve/correlation", min)),
)
