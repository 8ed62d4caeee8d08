"""Tweak: sliders with the names that producers use, and the rest of the drum stays."""

from dataclasses import astuple, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.continuation import LEAST_SECONDS, continued_parts, natural_end
from ghostnote.bridge.dsp.conversion import fitted, mixdown, resample
from ghostnote.bridge.dsp.descriptors import DESCRIPTORS, UNITS, Measured, couplings, measure, noise_db
from ghostnote.bridge.dsp.onset import onset_frame
from ghostnote.bridge.dsp.partials import RATE
from ghostnote.bridge.dsp.parts import Audio, parts_of
from ghostnote.bridge.dsp.sliders import MOST, Sliders
from ghostnote.bridge.dsp.tweak_filters import Parts, filtered_parts
from ghostnote.bridge.dsp.velocity import onset_power

Array = NDArray[np.float64]

_ROUNDS: Final = (4, 3)
"""How often the errors are taken off, at first and after each split."""
_ENOUGH: Final = 0.04
"""In steps of a slider, how near to their aims the descriptors have to come."""
_SPLIT_SECONDS: Final = 0.6
_NOISY: Final = DESCRIPTORS.index("noisy")
_MOST_AGAIN: Final = 8.0
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
    changed = filtered_parts(parts, *_solved_again(parts, wanted, values))
    whole = changed.partials + changed.residual
    whole *= _level(audio, whole, rate, parts.onset)
    if whole.shape[1] > audio.shape[1]:
        fade = round(_END_FADE * whole.shape[1])
        whole[:, -fade:] *= np.cos(np.linspace(0, np.pi / 2, fade, dtype=np.float32)) ** 2
    return whole


def _solved_again(parts: Parts, wanted: Array, values: Array) -> tuple[Array, Measured]:
    """Return what `solved` does, where what rings and what is noise is separated anew in what comes out.

    The descriptors move by what is wanted from the `values` (9,) that they have in the hit itself.
    """
    mono = _mono(parts)
    before = replace(measure(mono.partials, mono.residual, mono.rate, mono.onset), values=values)
    matrix = couplings(mono.partials, mono.residual, mono.rate, mono.onset)
    inverse: Array = np.asarray(np.linalg.inv(matrix), np.float64)
    aim, amounts = wanted.copy(), (inverse @ (wanted / UNITS)) * UNITS
    for again, rounds in enumerate(_ROUNDS, 1):
        amounts, inverse = solved(mono, aim, before, amounts, inverse, rounds)
        if again < len(_ROUNDS):
            # Partials that get softer than the noise around them have become noise.
            made = filtered_parts(mono, amounts, before)
            reach = mono.onset + round(_SPLIT_SECONDS * mono.rate)
            ringing, noise = parts_of((made.partials + made.residual)[:, :reach], mono.rate)
            found_db = noise_db(ringing[:, mono.onset :], noise[:, mono.onset :], mono.rate)
            missing = wanted[_NOISY] - (found_db - before.values[_NOISY])
            step = float(np.clip(missing, -_MOST_AGAIN, _MOST_AGAIN)) / UNITS[_NOISY]
            aim[_NOISY] += step * UNITS[_NOISY]
            amounts = amounts + inverse[:, _NOISY] * step * UNITS
    return amounts, before


def solved(
    mono: Parts, wanted: Array, before: Measured, first: Array, inverse: Array, rounds: int
) -> tuple[Array, Array]:
    """Return amounts (9,) of filters, near the `first`, that change the descriptors (9,) by as much as is wanted.

    A filter for one descriptor moves others a little. So the error is measured and taken off, `rounds` times, by the
    method of Broyden (1965), which begins with an `inverse` of the Jacobian, (9, 9), and returns a better one.
    """
    amounts = best = first / UNITS
    least, step, error = np.inf, 1.0, np.zeros(len(first))
    for _ in range(rounds):
        made = filtered_parts(mono, amounts * UNITS, before)
        found = (measure(made.partials, made.residual, mono.rate, mono.onset).values - before.values - wanted) / UNITS
        # One that cannot be reached must not decide for all.
        size = float(np.sqrt(np.square(np.clip(found, -1, 1)).mean()))
        if np.isfinite(least):
            inverse = _updated(inverse, amounts - best, found - error)
        if size < least:
            best, error, least = amounts, found, size
            step = 1.0
        else:
            step /= 2
        if least < _ENOUGH:
            break
        amounts = best - step * np.clip(inverse @ error, -MOST, MOST)
    return best * UNITS, inverse


def _updated(inverse: Array, moved: Array, changed: Array) -> Array:
    """Return the inverse of the Jacobian that also explains how the errors `changed` as the amounts `moved`."""
    along = moved @ inverse
    scale = along @ changed
    return inverse if abs(scale) < _TINY else inverse + np.outer(moved - inverse @ changed, along) / scale


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
