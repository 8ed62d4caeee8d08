"""Tweak: sliders with the names that producers use, and the rest of the drum stays."""

from dataclasses import astuple, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.continuation import LEAST_SECONDS, continued_parts, natural_end
from ghostnote.bridge.dsp.conversion import fitted, mixdown, resample
from ghostnote.bridge.dsp.descriptors import DESCRIPTORS, UNITS, Measured, couplings, measure
from ghostnote.bridge.dsp.onset import onset_frame
from ghostnote.bridge.dsp.partials import RATE
from ghostnote.bridge.dsp.parts import Audio, parts_of
from ghostnote.bridge.dsp.sliders import MOST, Sliders
from ghostnote.bridge.dsp.tweak_filters import LIMITS, Parts, filtered_parts
from ghostnote.bridge.dsp.velocity import onset_power

Array = NDArray[np.float64]

_ROUNDS: Final = (4, 3, 2, 2)
"""How often the errors are taken off, each time that the parts are separated anew."""
_ENOUGH: Final = 0.04
"""In steps of a slider, how near to their aims the descriptors have to come."""
_WANTED_WEIGHT: Final = 4.0
"""How much an error of what a slider is to move counts, beside one of what is to stay."""
_LEAST_CHANGE: Final = 0.1
"""Of the errors, along the amounts' move, beside what the Jacobian said."""
_MOST_MOVED: Final = 2 * MOST
"""By how many steps an amount changes at once."""
_END_FADE: Final = 0.15
_TINY: Final = 1e-20


def tweaked(audio: Audio, rate: int, sliders: Sliders, seed: int = 1) -> Audio:
    """Return a hit (channels, frames) at `rate` Hz with some of its qualities changed, as loud in its first 0.1 s.

    Each slider moves its own descriptor by a fixed step; filters for the others hold theirs where they are. It gets
    longer where it decays longer; `seed` decides the noise of what is added. With all sliders at 0 the hit itself is
    returned.
    """
    wanted = np.array(astuple(sliders), float) * UNITS
    if not wanted.any():
        return audio
    parts, values = _parts(audio, rate, sliders.longer, seed)
    whole = _moved(parts, values + wanted, np.where(wanted, _WANTED_WEIGHT, 1.0))
    whole *= _level(audio, whole, rate, parts.onset)
    if whole.shape[1] > audio.shape[1]:
        fade = round(_END_FADE * whole.shape[1])
        whole[:, -fade:] *= np.cos(np.linspace(0, np.pi / 2, fade, dtype=np.float32)) ** 2
    return whole


def _moved(parts: Parts, aim: Array, weights: Array) -> Audio:
    """Return the sound of parts through filters that bring their descriptors to an `aim` (9,).

    Partials that get softer than the noise around them become noise, and noise between few of them rings. So what was
    made is separated anew, and filtered for what is still missing.
    """
    mono = _mono(parts)
    before = measure(mono.partials, mono.residual, mono.rate, mono.onset)
    nearest, least = parts, np.inf
    for rounds in _ROUNDS:
        made = filtered_parts(parts, solved(mono, aim, before, weights, rounds), before)
        parts = Parts(*parts_of(made.partials + made.residual, parts.rate), parts.rate, parts.onset)
        mono = _mono(parts)
        before = measure(mono.partials, mono.residual, mono.rate, mono.onset)
        size = _size((before.values - aim) / UNITS, weights)
        if size < least:
            nearest, least = parts, size
        if least < _ENOUGH:
            break
    return nearest.partials + nearest.residual


def solved(mono: Parts, aim: Array, before: Measured, weights: Array, rounds: int) -> Array:
    """Return amounts (9,) of filters that bring the descriptors (9,) of parts to an `aim`.

    A filter for one descriptor moves others a little. So the error is measured and taken off, `rounds` times, by the
    method of Broyden (1965).
    """
    matrix = couplings(mono.partials, mono.residual, mono.rate, mono.onset)
    inverse: Array = np.asarray(np.linalg.inv(matrix), np.float64)
    error, best = (before.values - aim) / UNITS, np.zeros(len(aim))
    least, step, most = np.inf, 1.0, LIMITS / UNITS
    for _ in range(rounds):
        amounts = np.clip(best - step * np.clip(inverse @ error, -_MOST_MOVED, _MOST_MOVED), -most, most)
        made = filtered_parts(mono, amounts * UNITS, before)
        found = (measure(made.partials, made.residual, mono.rate, mono.onset).values - aim) / UNITS
        inverse = _updated(inverse, amounts - best, found - error)
        size = _size(found, weights)
        # What decays in steps hardly moves at first: the first amounts are taken in any case.
        if size < least:
            best, error, least, step = amounts, found, size, 1.0
        else:
            step /= 2
        if least < _ENOUGH:
            break
    return np.asarray(best * UNITS)


def _size(error: Array, weights: Array) -> float:
    """Return how large errors (9,) in steps are: one that cannot be taken off does not decide for all (Cauchy)."""
    return float(np.sqrt((weights * np.log1p(np.square(error))).mean()))


def _updated(inverse: Array, moved: Array, changed: Array) -> Array:
    """Return the inverse of the Jacobian that also explains how the errors `changed` as the amounts `moved`.

    Damped so that it stays invertible (Moré & Trangenstein 1976): errors that hardly changed, or turned round, would
    let it leap.
    """
    squared = float(moved @ moved)
    if squared < _TINY:
        return inverse
    explained = inverse @ changed
    share = float(moved @ explained) / squared
    least = np.copysign(_LEAST_CHANGE, share)
    if abs(share) < _LEAST_CHANGE:
        explained = moved + (1 - least) / (1 - share) * (explained - moved)
        share = least
    return inverse + np.outer(moved - explained, moved @ inverse) / (share * squared)


def _mono(parts: Parts) -> Parts:
    return replace(parts, partials=mixdown(parts.partials, 1), residual=mixdown(parts.residual, 1))


def _parts(audio: Audio, rate: int, longer: float, seed: int) -> tuple[Parts, Array]:
    """Return the parts of a hit, longer at their end where it is to decay longer, and its descriptors (9,) as it is.

    What rings on after a recording's fade decays more slowly already.
    """
    onset = onset_frame(audio)
    partials, residual = parts_of(audio, rate)
    mono = _mono(Parts(partials, residual, rate, onset))
    values = measure(mono.partials, mono.residual, rate, onset).values
    if longer > 0:
        frames = round(audio.shape[1] * 2 ** (longer * float(UNITS[DESCRIPTORS.index("longer")])))
        low = resample(audio, rate, RATE)
        end = natural_end(low)
        if end - onset_frame(low) >= LEAST_SECONDS * RATE:
            rung = continued_parts(low[:, :end], -(-frames * RATE // rate), seed)
            tails = [fitted(resample(part, RATE, rate), frames) for part in rung]
            start = round(end * rate / RATE) - round(0.03 * rate)
            partials, residual = (
                np.concatenate([part[:, :start], tail[:, start:]], axis=1)
                for part, tail in zip((partials, residual), tails, strict=True)
            )
    return Parts(partials, residual, rate, onset), values


def _level(audio: Audio, changed: Audio, rate: int, onset: int) -> np.float32:
    """Return the gain by which a changed hit is as loud as it was."""
    was, now = (onset_power(sound[:, onset:], rate) for sound in (audio, changed))
    return np.float32(np.sqrt(was / max(now, _TINY)))
