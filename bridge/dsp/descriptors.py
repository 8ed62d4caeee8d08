"""What a producer hears in a hit, as nine numbers: one for each slider of `tweak`.

Levels are compared between regions of time and frequency that do not overlap, so that each number can move alone. All
of it is measured from the onset, and none depends on the hit's level.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.partials import fast_size

Audio = NDArray[np.float32]
Array = NDArray[np.float64]

DESCRIPTORS: Final = ("bright", "boomy", "warm", "noisy", "punch", "hard", "longer", "tighter", "rough")
"""In the order of `Measured.values`."""
UNITS: Final = np.array([4.0, 4.0, 3.0, 4.0, 3.0, 4.0, 0.4, 0.3, 0.5])
"""By how much each changes for one step of its slider: dB, and octaves of time and of roughness."""

LOW_HZ, WARM_HZ, MIDDLE_HZ, HIGH_HZ = (20.0, 120.0), (150.0, 500.0), (500.0, 4000.0), (4000.0, 16_000.0)
ATTACK_SECONDS: Final = 0.010
EARLY_DB, LATE_DB = -10.0, -30.0
"""Levels of the energy still to come (Schroeder 1965) that bound the early and the late decay."""

_SEAM_SECONDS: Final = 0.005
_BODY_SECONDS: Final = 0.5
_AFTER_ATTACK_SECONDS: Final = 0.07
_ROUGH_SECONDS: Final = 0.4
_FAST_SECONDS, _SLOW_SECONDS = 0.004, 0.05
_BLOCK_SECONDS: Final = 0.001
_SMOOTH_DB: Final = 0.25
"""Fluctuations of less are as good as none."""
_LEAST_SECONDS: Final = 0.002
_NOISE_FLOOR: Final = 1e-4
"""A band that is all noise, or all partials, counts as 40 dB."""
_FLOOR: Final = 1e-6
_TINY: Final = 1e-20


@dataclass(frozen=True, eq=False)
class Measured:
    """The descriptors of a hit, and what filters need to know of it."""

    values: Array
    """(9,): dB of high, low and warm bands beside the middle, of noise beside partials, of the attack beside what
    follows, and of its highs alone; then octaves of the late decay, of the early decay (negative) and of roughness."""
    early_seconds: float
    """Until when the energy still to come has decayed to EARLY_DB."""
    late_seconds: float
    """How long it then takes to LATE_DB."""
    rough_db: float
    """By how much the level fluctuates, from 20 to 150 times a second."""


def measure(partials: Audio, residual: Audio, rate: int, onset: int) -> Measured:
    """Return what the two parts of a hit, (channels, frames) at `rate` Hz, sound like from the frame `onset`."""
    hit, noise = (partials + residual)[:, onset:].astype(np.float64), residual[:, onset:]
    start, seam = round(ATTACK_SECONDS * rate), round(_SEAM_SECONDS * rate)
    hit = np.pad(hit, ((0, 0), (0, max(0, start + 2 * seam + round(_SLOW_SECONDS * rate) - hit.shape[1]))))
    fade = np.sin(np.linspace(0, np.pi / 2, 2 * seam)) ** 2
    attack, body = hit[:, : start + seam].copy(), hit[:, start - seam :].copy()
    attack[:, start - seam :] *= 1 - fade
    body[:, : 2 * seam] *= fade
    spectral = _bands(body[:, : round(_BODY_SECONDS * rate)], rate)
    low, warm, middle, high = 10 * np.log10(spectral + _FLOOR * spectral.sum() + _TINY)
    punch, hard = _attack(attack, body[:, : round(_AFTER_ATTACK_SECONDS * rate)], rate)
    early, late = _decay(body, rate)
    rough_db = _roughness(hit[:, start : start + round(_ROUGH_SECONDS * rate)], rate)
    values = [high - middle, low - middle, warm - middle, noise_db(partials[:, onset:], noise, rate), punch, hard]
    octaves = np.log2([late + _LEAST_SECONDS, 1 / (early + _LEAST_SECONDS), rough_db + _SMOOTH_DB])
    return Measured(np.array([*values, *octaves]), early, late, rough_db)


def couplings(partials: Audio, residual: Audio, rate: int, onset: int) -> Array:
    """Return by how much each descriptor moves as each filter is turned up, to first order, (9, 9), in steps.

    Noise does not lie where partials do: more of it changes the balance of the bands. What else moves is small.
    """
    reach = slice(onset + round(ATTACK_SECONDS * rate), onset + round(_BODY_SECONDS * rate))
    ringing, noise = (_part_bands(part[:, reach], rate) for part in (partials, residual))
    of_noise = noise / (ringing + noise + _TINY)
    matrix, noisy = np.eye(len(DESCRIPTORS)), DESCRIPTORS.index("noisy")
    for name, band in (("bright", 3), ("boomy", 0), ("warm", 1)):
        place = DESCRIPTORS.index(name)
        matrix[place, noisy] = (of_noise[band] - of_noise[2]) * UNITS[noisy] / UNITS[place]
    return matrix


def fluctuation_db(hit: NDArray[Any], rate: int) -> Array:
    """Return by how many dB the level of each frame of a hit (channels, frames) is above that of 50 ms around it."""
    size = fast_size(hit.shape[1] + round(_SLOW_SECONDS * rate))
    spectra = np.fft.fft(hit, size)
    spectra[:, size // 2 + 1 :] = 0
    power = np.square(np.abs(np.fft.ifft(spectra)[:, : hit.shape[1]])).sum(axis=0)
    fast = smoothed(power, round(_FAST_SECONDS * rate))
    level = 10 * np.log10(fast + 1e-9 * fast.max() + _TINY)
    return np.asarray(level - smoothed(level, round(_SLOW_SECONDS * rate)))


def _bands(audio: Array, rate: int) -> Array:
    """Return the energy of audio (channels, frames) in the low, warm, middle and high band, (4,)."""
    size = fast_size(audio.shape[1])
    total = np.square(np.abs(np.fft.rfft(audio, size))).sum(axis=0).cumsum()
    edges = np.array([LOW_HZ, WARM_HZ, MIDDLE_HZ, HIGH_HZ]) * size / rate
    places = np.clip(np.round(edges).astype(int), 0, len(total) - 1)
    return np.asarray((total[places[:, 1]] - total[places[:, 0]]) / size)


def _attack(attack: Array, after: Array, rate: int) -> tuple[float, float]:
    """Return the level of the attack beside what follows, the mean of three bands, and that of the highs over it."""
    both = []
    for part in (attack, after):
        low, warm, middle, high = _bands(part, rate)
        both.append(np.array([low + warm, middle, high]))
    floor = 1e-5 * both[1].sum() + _TINY
    below, middle, above = 10 * np.log10((both[0] + floor) / (both[1] + floor))
    return float((below + middle + above) / 3), float(above - (below + middle) / 2)


def _decay(body: Array, rate: int) -> tuple[float, float]:
    """Return the seconds until EARLY_DB, and from there to LATE_DB."""
    block = max(1, round(_BLOCK_SECONDS * rate))
    power = np.square(body[:, : body.shape[1] // block * block]).reshape(len(body), -1, block).sum(axis=(0, 2))
    left = power[::-1].cumsum()[::-1]
    level = -10 * np.log10(left / (left[0] + _TINY) + 1e-12)
    early, late = (float(np.interp(-db, level, np.arange(len(level)))) * block / rate for db in (EARLY_DB, LATE_DB))
    return early, late - early


def _roughness(body: Array, rate: int) -> float:
    if not body.any():
        return 0.0
    deviation = np.clip(fluctuation_db(body, rate), -20, 20)
    weight = np.sqrt(smoothed(np.square(body).sum(axis=0), round(_SLOW_SECONDS * rate)) + _TINY)
    mean = (weight * deviation).sum() / weight.sum()
    return float(np.sqrt((weight * np.square(deviation - mean)).sum() / weight.sum()))


def noise_db(partials: Audio, residual: Audio, rate: int) -> float:
    """Return the level of the noise beside what rings from the first frame, in dB: the mean of four bands.

    So an equalizer does not change it.
    """
    reach = round(_BODY_SECONDS * rate)
    ringing, noise = (_part_bands(part[:, :reach], rate) for part in (partials, residual))
    floor = _NOISE_FLOOR * (ringing + noise) + _TINY
    return float(np.mean(10 * np.log10((noise + floor) / (ringing + floor))))


def _part_bands(part: Audio, rate: int) -> Array:
    return _bands(np.pad(part, ((0, 0), (0, 2))).astype(np.float64), rate)


def smoothed(values: Array, frames: int) -> Array:
    """Return values (frames,) averaged over a window of so many, by three boxes of a third; the ends are held."""
    side = max(1, frames // 6)
    for _ in range(3):
        total = np.pad(values, (side + 1, side), mode="edge").cumsum()
        values = (total[2 * side + 1 :] - total[: -2 * side - 1]) / (2 * side + 1)
    return values
