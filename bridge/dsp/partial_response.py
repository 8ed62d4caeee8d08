"""How the partials of one stroke differ from another's: through a random filter.

A mode of a drum keeps its frequency and its decay; where and how the drum is struck decides how much of it is excited.
So one stroke's partials are another's through a filter of random gains and phases. What a filter shares over octaves is
drawn at a few frequencies, each line's own part as a short random tail of its impulse response.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.partials import RATE

Audio = NDArray[np.float32]

KNOTS_HZ: Final = (60, 120, 240, 480, 960, 1920, 3840, 7680, 15_360)
"""Frequencies at which a filter is drawn."""
DRUM_FEATURES: Final = 3
"""Numbers that `drum_features` measures."""

_PHASES_PER_KNOT: Final = 6
"""Phases are free in narrower bands than gains."""
_TAPS: Final = 4096
_DECAY_FRAMES: Final = 441
"""Decay of the tail that gives each line its own gain: 10 ms, so lines some 30 Hz apart differ."""
TAIL_FRAMES: Final = 2048
LEAD_FRAMES: Final = 64
"""What comes before a filter's main tap: gains and phases drawn at will are not causal."""
_BINS_HZ: Final = np.fft.rfftfreq(_TAPS, 1 / RATE)
_KNOTS: Final = np.arange(len(KNOTS_HZ))
_PLACE: Final = np.clip(np.log2(np.maximum(_BINS_HZ, 1) / KNOTS_HZ[0]), 0, len(KNOTS_HZ) - 1)
"""Where the bins lie between the knots."""
_SHARE_DB: Final = (-40.0, 0.0)
_LONGEST_SECONDS: Final = 10.0
_QUIET: Final = 1e-12
_FACTORS: Final = (0.1, 3.0)
_BENT: Final = 1.5
DIFFERENCE_LIMIT_DB: Final = 30.0
"""Limit of the level differences that change the timbre."""


@dataclass(frozen=True)
class PartialStatistics:
    """How partials differ between the strokes of a drum, as measured on real ones; part of a model's card.

    Rows of `phase`, `class_factors` and `slopes` are the classes and one for all.
    """

    gain_db: tuple[tuple[float, ...], ...]
    """(knots, knots): independent normal numbers times this are the gains at the knots."""
    phase: tuple[tuple[float, ...], ...]
    """(classes + 1, knots): standard deviation of the phase in radians."""
    own: tuple[float, ...]
    """(knots,): amplitude of the random part of each line, beside 1."""
    class_factors: tuple[tuple[float, ...], ...]
    """(classes + 1, 2): logarithm of how much more the gains and the own parts of such drums vary."""
    feature_factors: tuple[tuple[float, ...], ...]
    """(DRUM_FEATURES, 2): what the drum's features add to it."""
    slopes: tuple[tuple[float, ...], ...]
    """(classes + 1, knots): change of a partial's level beside the whole's, for each dB that a stroke is louder."""

    @cached_property
    def tables(self) -> dict[str, NDArray[np.float64]]:
        """The fields as arrays."""
        return {name: np.array(getattr(self, name)) for name in self.__dataclass_fields__}

    @staticmethod
    def from_dict(data: Mapping[str, Any], rows: int) -> "PartialStatistics":
        """Return the statistics of plain data; `ValueError` or `KeyError` where a table of that size is missing."""
        knots = len(KNOTS_HZ)
        sizes: dict[str, tuple[int, ...]] = {
            "gain_db": (knots, knots),
            "class_factors": (rows, 2),
            "feature_factors": (DRUM_FEATURES, 2),
        }
        sizes |= {"slopes": (rows, knots), "phase": (rows, knots), "own": (knots,)}
        tables = {name: np.asarray(data[name], float) for name in sizes}
        for name, size in sizes.items():
            if tables[name].shape != size or not np.isfinite(tables[name]).all():
                raise ValueError(f"{name} is not a table of {size} numbers")
        return PartialStatistics(**{name: _plain(table) for name, table in tables.items()})


def _plain(table: NDArray[np.float64]) -> Any:
    """Return a table as tuples of numbers."""
    return tuple(map(_plain, table)) if table.ndim > 1 else tuple(table.tolist())


@dataclass(frozen=True)
class PartialFilter:
    """The filter of one stroke."""

    gain_db: NDArray[np.float64]
    """(knots,)."""
    phase: NDArray[np.float64]
    """(knots x _PHASES_PER_KNOT,)."""
    own: NDArray[np.float64]
    """(knots,)."""
    tail: NDArray[np.float64]
    """(TAIL_FRAMES,): normal numbers, which fall off with time."""

    def taps(self) -> Audio:
        """Return the impulse response (taps,), its main tap after `LEAD_FRAMES`.

        What is not causal, but for the lead, is left out.
        """
        response = np.fft.irfft(self._response())
        taps = np.concatenate([response[-LEAD_FRAMES:], response[:TAIL_FRAMES]])
        taps[: len(_LEAD_RISE)] *= _LEAD_RISE
        return taps.astype(np.float32)

    def _response(self) -> NDArray[np.complex128]:
        log_gain = np.interp(_PLACE, _KNOTS, self.gain_db * (np.log(10) / 20))
        phase = np.interp(_PLACE * _PHASES_PER_KNOT, np.arange(len(self.phase)), self.phase)
        own, mean = _own_gains(tuple(self.own.tolist()))
        random = np.fft.rfft(self.tail * _TAIL_WINDOW, _TAPS)
        response: NDArray[np.complex128] = np.exp(log_gain + 1j * phase) * (mean + own * random)
        return response


@lru_cache(maxsize=64)
def _own_gains(at_knots: tuple[float, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the amplitude of each bin's random part, (bins,), and that of the part beside it.

    They are such that the geometric mean of the gains is 1. That of |1 + own·n| for complex normal n has as its
    logarithm half the exponential integral E1(1/own²), here between its two bounds by logarithms.
    """
    own = np.interp(_PLACE, _KNOTS, at_knots)
    x = 1 / np.maximum(np.square(own), _QUIET)
    integral = np.exp(-x) * (np.log1p(2 / x) + np.log1p(1 / x)) / 3
    level = np.exp(-integral / 2)
    return own * level, level


def _tail_window() -> NDArray[np.float64]:
    """Return how the tail of a filter falls off; its spectrum has a mean power of 1."""
    frame = np.arange(TAIL_FRAMES)
    window: NDArray[np.float64] = np.exp(-frame / _DECAY_FRAMES) * np.cos(frame / TAIL_FRAMES * np.pi / 2)
    window /= np.sqrt(np.square(window).sum())
    return window


_TAIL_WINDOW: Final = _tail_window()
_LEAD_RISE: Final = np.sin(np.linspace(0, np.pi / 2, LEAD_FRAMES // 2)) ** 2


def drum_features(partials: Audio, residual: Audio) -> NDArray[np.float64]:
    """Return the features (DRUM_FEATURES,) of a drum in two parts (channels, frames), each near 0 to 1.

    They are the partials' share of the power (0 to -40 dB), the centroid of their spectrum in octaves over 60 Hz as a
    share of the knots' range, and the time in which they fall to a tenth, on a logarithmic scale.
    """
    power, rest = (float(np.square(part).sum()) for part in (partials, residual))
    share_db = 10 * np.log10((power + _QUIET) / (power + rest + _QUIET))
    spectrum = np.square(np.abs(np.fft.rfft(partials[:, : 1 << 15]))).sum(axis=0)
    hz = np.arange(len(spectrum)) * (RATE / max(1, 2 * (len(spectrum) - 1)))
    centroid = (spectrum * hz).sum() / (spectrum.sum() + _QUIET)
    energy = np.square(partials).sum(axis=0)[::-1].cumsum()[::-1]
    seconds = np.count_nonzero(energy > 0.1 * energy[0]) / RATE if energy.size and power > _QUIET else 0.0
    octaves = np.log2(max(centroid, KNOTS_HZ[0]) / KNOTS_HZ[0]) / (len(KNOTS_HZ) - 1)
    lasting = np.log10(max(seconds, 1e-3) / 1e-3) / np.log10(_LONGEST_SECONDS / 1e-3)
    return np.array([np.clip(share_db, *_SHARE_DB) / -_SHARE_DB[0] + 1, octaves, lasting])


def bent(amount: float) -> float:
    """Return what strokes follow at an `amount`: up to 1 a power of it.

    How far apart two sounds are grows ever less with what differs, so that the amount itself would make a bent knob.
    """
    return min(amount, float(amount**_BENT))


def draw_filter(
    statistics: PartialStatistics,
    features: NDArray[np.float64],
    label: int,
    rng: np.random.Generator,
    *,
    amount: float = 1.0,
    difference_db: float = 0.0,
) -> PartialFilter:
    """Return the filter of a stroke of a drum with these `drum_features`; `rng` decides which.

    It is `difference_db` harder than its reference. At `amount` 0 all but this is left out.
    """
    amount = bent(amount)
    tables, knots = statistics.tables, len(KNOTS_HZ)
    phases = (knots - 1) * _PHASES_PER_KNOT + 1
    drawn = rng.standard_normal(knots + phases + TAIL_FRAMES)
    log_factors = tables["class_factors"][label] + features @ tables["feature_factors"]
    gain_factor, own_factor = amount * np.exp(log_factors).clip(*_FACTORS)
    harder_db = min(max(difference_db, -DIFFERENCE_LIMIT_DB), DIFFERENCE_LIMIT_DB)
    place = np.arange(phases) / _PHASES_PER_KNOT
    return PartialFilter(
        gain_factor * (tables["gain_db"] @ drawn[:knots]) + harder_db * tables["slopes"][label],
        amount * np.interp(place, _KNOTS, tables["phase"][label]) * drawn[knots : knots + phases],
        own_factor * tables["own"],
        drawn[knots + phases :],
    )
