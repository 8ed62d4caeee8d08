"""The filters behind the sliders of `tweak`: each moves one descriptor, and the others as little as it can."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.descriptors import ATTACK_SECONDS, EARLY_DB, LATE_DB, Measured, fluctuation_db, smoothed
from ghostnote.bridge.dsp.minimum_phase import equalized
from ghostnote.bridge.dsp.partials import fast_size

Audio = NDArray[np.float32]
Array = NDArray[np.float64]

_LOW_SHELF_HZ: Final = (100.0, 180.0)
_WARM_HZ: Final = (110.0, 190.0, 430.0, 650.0)
_HIGH_SHELF_HZ: Final = (2800.0, 5200.0)
_ATTACK_HZ: Final = (2500.0, 5000.0)
_ATTACK_REACH_SECONDS: Final = 0.05
_ATTACK_ENDS_SECONDS: Final = (0.7 * ATTACK_SECONDS, 1.4 * ATTACK_SECONDS)
_MODULATION_HZ: Final = 70.0
_MOST_RAISED_DB, _MOST_LOWERED_DB = 30.0, 90.0
_LEVEL_SECONDS: Final = 0.06
_AUDIBLE: Final = 1e-8
_TINY: Final = 1e-20
_MOST_COMPRESSED: Final = 0.95
LIMITS: Final = np.array([24.0, 24.0, 24.0, 40.0, 18.0, 24.0, 2.0, 2.0, 2.0])
"""How far each filter may go, in the units of its descriptor."""


@dataclass(frozen=True, eq=False)
class Parts:
    """The parts of a hit, (channels, frames) each, and where it begins."""

    partials: Audio
    residual: Audio
    rate: int
    onset: int


def filtered_parts(parts: Parts, amounts: Array, measured: Measured) -> Parts:
    """Return parts with filters of `amounts` (9,), by how much each should move its own descriptor.

    `measured` is what the parts sounded like before.
    """
    bright, boomy, warm, noisy, punch, hard, longer, tighter, rough = np.clip(amounts, -LIMITS, LIMITS).tolist()
    both = np.concatenate([parts.partials, parts.residual])
    if bright or boomy or warm:
        both = _tilted(both, parts.rate, bright, boomy, warm)
    if hard:
        both = _harder(both, parts, hard)
    gain_db = _envelope_db(parts, both.shape[1], measured, punch=punch, longer=longer, tighter=tighter)
    both = both * (10 ** (gain_db / 20)).astype(np.float32)
    half = len(both) // 2
    noise = 10 ** (noisy / 40)
    both *= np.repeat(np.array([1 / noise, noise], np.float32), half)[:, None]
    if rough:
        both *= _modulation(both[:half] + both[half:], parts, rough, measured.rough_db)
    return Parts(both[:half], both[half:], parts.rate, parts.onset)


def _tilted(audio: Audio, rate: int, bright: float, boomy: float, warm: float) -> Audio:
    """Return audio (channels, frames) through shelves and a bell of these gains in dB."""

    def gain_db(hz: Array) -> Array:
        hz = np.maximum(hz, 1.0)
        shelves = boomy * (1 - _rise(hz, *_LOW_SHELF_HZ)) + bright * _rise(hz, *_HIGH_SHELF_HZ)
        return np.asarray(shelves + warm * _rise(hz, *_WARM_HZ[:2]) * (1 - _rise(hz, *_WARM_HZ[2:])))

    return equalized(audio, rate, gain_db)


def _rise(hz: Array, low: float, high: float) -> Array:
    """Return 0 below `low` and 1 above `high`, and a cosine over the logarithm of the frequency between."""
    progress = np.clip(np.log(hz / low) / np.log(high / low), 0, 1)
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * progress))


def _harder(audio: Audio, parts: Parts, hard: float) -> Audio:
    """Return audio (channels, frames) with so many dB more highs in its attack."""
    reach = min(parts.onset + round(_ATTACK_REACH_SECONDS * parts.rate), audio.shape[1])
    size = fast_size(2 * reach)
    hz = np.maximum(np.fft.rfftfreq(size, 1 / parts.rate), 1.0)
    highs = np.fft.irfft(np.fft.rfft(audio[:, :reach], size) * _rise(hz, *_ATTACK_HZ), size)[:, :reach]
    changed = audio.copy()
    changed[:, :reach] += (highs * (10 ** (hard / 20) - 1) * _attack_share(parts, reach)).astype(np.float32)
    return changed


def _attack_share(parts: Parts, frames: int) -> Array:
    """Return 1 until the attack is over, and 0 from there, (frames,)."""
    seconds = (np.arange(frames) - parts.onset) / parts.rate
    first, last = _ATTACK_ENDS_SECONDS
    return np.asarray(np.cos(np.clip((seconds - first) / (last - first), 0, 1) * (np.pi / 2)) ** 2)


def _envelope_db(parts: Parts, frames: int, was: Measured, *, punch: float, longer: float, tighter: float) -> Array:
    """Return the gain over time (frames,) in dB: of the attack, the early and the late decay."""
    seconds = np.arange(frames) / parts.rate - parts.onset / parts.rate - ATTACK_SECONDS
    gain = punch * _attack_share(parts, frames)
    early = max(was.early_seconds, 0.003)
    gain += _early_db(tighter) * np.clip(seconds / early, 0, 1)
    if longer:
        gain += _stretched_db(parts, seconds, early, max(was.late_seconds, 0.005), longer)
    return np.asarray(gain)


def _stretched_db(parts: Parts, seconds: Array, early: float, late: float, longer: float) -> Array:
    """Return the gain over time (frames,) in dB that makes the decay after the early one so many octaves longer.

    Its course is stretched, whatever it is: what falls fast and then slowly falls so in more time. Past the end of a
    hit it goes on as its late decay.
    """
    power = np.square(parts.partials + parts.residual, dtype=np.float64).mean(axis=0)
    level = 10 * np.log10(smoothed(power, round(_LEVEL_SECONDS * parts.rate)) + _AUDIBLE * power.max() + _TINY)
    place = np.where(seconds > early, early + (seconds - early) * 2**-longer, seconds)
    past = np.maximum(place - seconds[-1], 0)
    gain = np.interp(place, seconds, level) + (LATE_DB - EARLY_DB) * past / late - level
    return np.asarray(np.clip(gain, -_MOST_LOWERED_DB, _MOST_RAISED_DB))


def _early_db(tighter: float) -> float:
    """Return by how many dB the level changes until the early decay is over, if it is so many octaves shorter."""
    return EARLY_DB * float(np.sign(tighter)) * (2 ** abs(tighter) - 1)


def _modulation(hit: Audio, parts: Parts, rough: float, was_db: float) -> Audio:
    """Return a gain (frames,) that makes the level fluctuate by so many octaves more, or less."""
    seconds = (np.arange(hit.shape[1]) - parts.onset) / parts.rate
    share = 1 - _attack_share(parts, hit.shape[1])
    own = np.zeros(hit.shape[1])
    own[parts.onset :] = np.clip(fluctuation_db(hit[:, parts.onset :].astype(np.float64), parts.rate), -20, 20)
    if rough < 0:
        gain_db = -min(1 - 2**rough, _MOST_COMPRESSED) * own
    else:
        more = 2**rough - 1
        depth = np.sqrt(2 * more) * max(was_db, 0.5)
        gain_db = 0.5 * more * own + depth * np.sin(2 * np.pi * _MODULATION_HZ * seconds)
    return np.asarray(10 ** (gain_db * share / 20), np.float32)
