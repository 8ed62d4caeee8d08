"""A hit as numbers: its level over time and frequency, and how many attacks it has."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.conversion import mixdown, resample
from ghostnote.bridge.dsp.onset import LEAD_SECONDS, onset_frame

FEATURE_RATE: Final = 44_100
"""The sample rate of all features, in Hz."""
FEATURES: Final = 108
"""How many numbers `features` returns."""

_EDGES_HZ: Final = np.array(
    (0, 60, 90, 130, 190, 270, 380, 530, 740, 1000, 1400, 2000, 2800, 4000, 5600, 8000, 11000, 15000)
)
_SEGMENTS_SECONDS: Final = ((0, 0.012), (0.012, 0.04), (0.04, 0.1), (0.1, 0.22), (0.22, 0.45), (0.45, 0.75))
_BROAD: Final = (0, 4, 8, 11, 14)
"""The narrow bands at which five broad ones begin."""
_ONSET_LEVEL: Final = 0.05
_FLOOR: Final = 1e-7
_HOP_SECONDS: Final = 0.01
_NEW_ATTACK_DB: Final = 8.0
_AUDIBLE_DB: Final = -18.0
_APART_HOPS: Final = 8
_RISING_HOPS: Final = 6

Audio = NDArray[np.float32]


def mono_for_features(audio: Audio, rate: int) -> NDArray[np.float64]:
    """Return `(frames,)` at `FEATURE_RATE` of a hit of any rate and number of channels."""
    mono = resample(mixdown(audio, 1), rate, FEATURE_RATE)[0]
    return np.asarray(mono, np.float64)


def features(mono: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `FEATURES` levels in dB: of narrow and broad bands in six segments that grow from the onset.

    They do not depend on the hit's level, nor on the silence before it.
    """
    power = _band_power(mono)
    narrow = _decibels(power, 1e-7)
    broad = np.add.reduceat(power, _BROAD, axis=1)
    loudest = broad.sum(axis=1).max()
    return np.concatenate(
        (
            _decibels(power.sum(axis=0), 1e-5),
            _decibels(power.sum(axis=1), 1e-5),
            10 * np.log10(broad / loudest + 1e-5).ravel(),
            narrow[:, ::2].ravel(),
        )
    )


def attacks(mono: NDArray[np.float64]) -> int:
    """Return how many attacks a sound has: 1 for a hit, more for a loop or a melody.

    A new attack stands 8 dB above the valley before it and less than 18 dB below the loudest moment, both
    in the whole band and in the first difference; bursts within 80 ms, as in a clap or a flam, are one.
    """
    return min(_rises(_envelope_db(view).tolist()) for view in (mono, np.diff(mono, prepend=0.0)))


def second_half_db(mono: NDArray[np.float64]) -> float:
    """Return the energy of a sound's second half over its first, in dB: hits decay, held notes do not."""
    middle = len(mono) // 2
    halves = [float(np.square(part).sum()) + 1e-12 for part in (mono[:middle], mono[middle:])]
    return float(10 * np.log10(halves[1] / halves[0]))


def _band_power(mono: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return power per second, `(segments, bands)`."""
    peak = float(np.abs(mono).max())
    onset = onset_frame(mono[None], _ONSET_LEVEL)
    frames = round(_SEGMENTS_SECONDS[-1][1] * FEATURE_RATE)
    # Silence before the onset must not change the features.
    before = round(LEAD_SECONDS * FEATURE_RATE)
    hit = np.pad(mono, (before, frames))[onset : onset + frames] / peak
    rows = []
    for first, last in _SEGMENTS_SECONDS:
        part = hit[int(first * FEATURE_RATE) : int(last * FEATURE_RATE)]
        size = 8192 if len(part) < 8192 else 16_384
        spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part) + 2)[1:-1], size)) ** 2
        band = np.searchsorted(_EDGES_HZ, np.fft.rfftfreq(size, 1 / FEATURE_RATE), side="right") - 1
        rows.append(np.bincount(band, spectrum, len(_EDGES_HZ)) / len(part))
    return np.array(rows)


def _decibels(power: NDArray[np.float64], floor: float) -> NDArray[np.float64]:
    """Return dB relative to the largest value."""
    levels: NDArray[np.float64] = 10 * np.log10(power / power.max() + floor)
    return levels


def _envelope_db(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the level of every hop, in dB relative to the loudest one."""
    hop = round(_HOP_SECONDS * FEATURE_RATE)
    padded = np.pad(signal, (0, 4 * hop))
    energy = np.square(padded[: len(padded) // hop * hop].reshape(-1, hop)).sum(axis=1)
    return _decibels(np.convolve(energy, (0.25, 0.5, 0.25), "same"), 1e-9)


def _rises(levels: Sequence[float]) -> int:
    """Return how many attacks an envelope has."""
    last = next((hop for hop, level in enumerate(levels) if level > -30), 0)
    count, valley = 1, levels[last]
    for hop in range(last + 1, len(levels)):
        valley = min(valley, levels[hop])
        if levels[hop] > _AUDIBLE_DB and levels[hop] - valley >= _NEW_ATTACK_DB and hop - last >= _APART_HOPS:
            count, last, valley = count + 1, hop, levels[hop]
        elif hop - last < _RISING_HOPS and levels[hop] >= levels[hop - 1]:
            # The attack itself is still rising.
            valley = levels[hop]
    return count
