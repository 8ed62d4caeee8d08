"""How the partials of one stroke differ from another's: through a random filter.

A mode of a drum keeps its frequency and its decay; where and how the drum is struck decides how much of it is excited.
So one stroke's partials are another's through a filter of random gains and phases. What a filter shares over octaves is
drawn at a few frequencies, each line's own part as a short random tail of its impulse response.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.partials import RATE, fast_size
from ghostnote.bridge.dsp.stereo_image import turned_apart

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
_TAIL_FRAMES: Final = 2048
_LEAD_FRAMES: Final = 64
"""What comes before a filter's main tap: gains and phases drawn at will are not causal."""
_BINS_HZ: Final = np.fft.rfftfreq(_TAPS, 1 / RATE)
_PLACE: Final = np.clip(np.log2(np.maximum(_BINS_HZ, 1) / KNOTS_HZ[0]), 0, len(KNOTS_HZ) - 1)
"""Where the bins lie between the knots."""
_MAX_ANGLE: Final = np.pi / 2
"""Between two sides at full width: their sum loses 3 dB at most."""
_MONO_HZ: Final = 150.0
"""Below this the sides are alike; an octave above they are as far apart as the width says."""
_SHARE_DB: Final = (-40.0, 0.0)
_LONGEST_SECONDS: Final = 10.0
_QUIET: Final = 1e-12
_SILENT: Final = 1e-5
"""A hit has ended where it stays below this share of its peak (-100 dB)."""
_FALL_FRAMES: Final = 256
_FACTORS: Final = (0.1, 3.0)
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
    """(_TAIL_FRAMES,): normal numbers, which fall off with time."""

    def taps(self) -> Audio:
        """Return the impulse response (taps,), its main tap after `_LEAD_FRAMES`.

        What is not causal, but for the lead, is left out.
        """
        taps = np.roll(np.fft.irfft(self._response()), _LEAD_FRAMES)[: _LEAD_FRAMES + _TAIL_FRAMES]
        rise = _LEAD_FRAMES // 2
        taps[:rise] *= np.sin(np.linspace(0, np.pi / 2, rise)) ** 2
        return taps.astype(np.float32)

    def _response(self) -> NDArray[np.complex128]:
        knots = np.arange(len(KNOTS_HZ))
        gain = 10 ** (np.interp(_PLACE, knots, self.gain_db) / 20)
        phase = np.interp(_PLACE * _PHASES_PER_KNOT, np.arange(len(self.phase)), self.phase)
        own = np.interp(_PLACE, knots, self.own)
        random = np.fft.rfft(self.tail * _TAIL_WINDOW, _TAPS)
        response: NDArray[np.complex128] = gain * np.exp(1j * phase) * (1 + own * random) / _mean_gain(own)
        return response


def _mean_gain(own: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the geometric mean of |1 + own·n| for complex normal n.

    Its logarithm is half the exponential integral E1(1/own²), here between its two bounds by logarithms.
    """
    x = 1 / np.maximum(np.square(own), _QUIET)
    integral = np.exp(-x) * (np.log1p(2 / x) + np.log1p(1 / x)) / 3
    mean: NDArray[np.float64] = np.exp(integral / 2)
    return mean


def _tail_window() -> NDArray[np.float64]:
    """Return how the tail of a filter falls off; its spectrum has a mean power of 1."""
    frame = np.arange(_TAIL_FRAMES)
    window: NDArray[np.float64] = np.exp(-frame / _DECAY_FRAMES) * np.cos(frame / _TAIL_FRAMES * np.pi / 2)
    window /= np.sqrt(np.square(window).sum())
    return window


_TAIL_WINDOW: Final = _tail_window()


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
    knots = len(KNOTS_HZ)
    gains, phases = rng.standard_normal(knots), rng.standard_normal((knots - 1) * _PHASES_PER_KNOT + 1)
    tail = rng.standard_normal(_TAIL_FRAMES)
    log_factors = np.array(statistics.class_factors[label]) + features @ np.array(statistics.feature_factors)
    gain_factor, own_factor = amount * np.clip(np.exp(log_factors), *_FACTORS)
    harder_db = np.clip(difference_db, -DIFFERENCE_LIMIT_DB, DIFFERENCE_LIMIT_DB)
    place = np.arange(len(phases)) / _PHASES_PER_KNOT
    return PartialFilter(
        gain_factor * (np.array(statistics.gain_db) @ gains) + harder_db * np.array(statistics.slopes[label]),
        amount * np.interp(place, np.arange(knots), statistics.phase[label]) * phases,
        own_factor * np.array(statistics.own),
        tail,
    )


class FilteredPartials:
    """The partials of a reference, ready to be filtered."""

    def __init__(self, partials: Audio) -> None:
        """Transform partials (channels, frames), once for all strokes."""
        self.channels, self.frames = partials.shape
        self._size = fast_size(self.frames + _TAPS)
        self._spectra = np.fft.rfft(partials, self._size).astype(np.complex64)
        loud = np.flatnonzero(np.abs(partials).max(axis=0) > _SILENT * np.abs(partials).max(initial=_QUIET))
        self._end = int(loud[-1]) + 1 if loud.size else 0

    @property
    def nbytes(self) -> int:
        """The memory that they take."""
        return self._spectra.nbytes

    def through(self, taps: Audio, width: float = 0.0) -> Audio:
        """Return the partials (channels, frames) through a filter; two channels, up to `width` 1 apart, if it is not 0.

        Both sides are as loud at each frequency and as far apart in phase in every stroke, so that nothing moves
        between them from hit to hit.
        """
        spectra = self._spectra * np.fft.rfft(taps, self._size).astype(np.complex64)
        if width:
            spectra = spectra * self._turns(width)
        filtered = np.fft.irfft(spectra, self._size)
        stroke = filtered[:, _LEAD_FRAMES : _LEAD_FRAMES + self.frames].astype(np.float32)
        # The filter rings on, and what was silent after a hit stays so.
        after = stroke[:, self._end :]
        fall = min(_FALL_FRAMES, after.shape[1])
        after[:, :fall] *= np.cos(np.linspace(0, np.pi / 2, fall, dtype=np.float32)) ** 2
        after[:, fall:] = 0
        return stroke

    def _turns(self, width: float) -> NDArray[np.complex64]:
        """Return what turns the phases of two sides apart, (2, bins)."""
        octaves = np.log2(np.maximum(np.fft.rfftfreq(self._size, 1 / RATE), 1))
        angle = width * _MAX_ANGLE * np.clip(octaves - np.log2(_MONO_HZ), 0, 1)
        return turned_apart(octaves, angle).astype(np.complex64)
