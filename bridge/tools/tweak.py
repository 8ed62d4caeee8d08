"""Tweak: sliders with the names that producers use, and the rest of the drum stays."""

from dataclasses import astuple, dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ghostnote.bridge.dsp.conversion import fitted, mixdown, resample
from ghostnote.bridge.dsp.onset import onset_frame
from ghostnote.bridge.dsp.partials import RATE
from ghostnote.bridge.dsp.velocity import onset_power
from ghostnote.bridge.tools.arguments import check, checked
from ghostnote.bridge.tools.descriptors import DESCRIPTORS, UNITS, Measured, couplings, measure, noise_db
from ghostnote.bridge.tools.extend import LEAST_SECONDS, continued_parts, natural_end
from ghostnote.bridge.tools.mask import Mask, kept
from ghostnote.bridge.tools.parts import Audio, parts_of
from ghostnote.bridge.tools.tweak_filters import Parts, filtered_parts

Array = NDArray[np.float64]

MOST: Final = 2.0
"""How far each slider goes."""
_ROUNDS: Final = (4, 3)
"""How often the errors are taken off, at first and after each split."""
_ENOUGH: Final = 0.04
"""In steps of a slider, how near to their aims the descriptors have to come."""
_SPLIT_SECONDS: Final = 0.6
_NOISY: Final = DESCRIPTORS.index("noisy")
_MOST_AGAIN: Final = 8.0
_END_FADE: Final = 0.15
_TINY: Final = 1e-20


@dataclass(frozen=True)
class Sliders:
    """What to change, each from -2 to 2; 0 leaves it as it is."""

    bright: float = 0.0
    """Highs above 4 kHz, 4 dB a step."""
    boomy: float = 0.0
    """Lows below 120 Hz, 4 dB a step."""
    warm: float = 0.0
    """150 to 500 Hz, 3 dB a step."""
    noisy: float = 0.0
    """Noise beside what rings, 4 dB a step."""
    punch: float = 0.0
    """The first 10 ms beside what follows, 3 dB a step."""
    hard: float = 0.0
    """The highs of those 10 ms, 4 dB a step."""
    longer: float = 0.0
    """The late decay, 1.3 times as long a step."""
    tighter: float = 0.0
    """The early decay, 1.2 times as short a step."""
    rough: float = 0.0
    """How much the level flutters, 1.4 times as much a step."""


def tweak(hit: ArrayLike, rate: int, sliders: Sliders, *, mask: Mask | None = None, seed: int = 1) -> Audio:
    """Return a hit (channels, frames) at `rate` Hz with some of its qualities changed, as loud in its first 0.1 s.

    Each slider moves its own descriptor by a fixed step; filters for the others hold theirs where they are. What the
    `mask` says is kept to the sample. It gets longer where it decays longer; `seed` decides the noise of what is added.
    With all sliders at 0 the hit itself is returned. `InputError` for a slider beyond its range.
    """
    audio = checked(hit, rate)
    for name, value in zip(DESCRIPTORS, _ordered(sliders), strict=True):
        check(name, value, -MOST, MOST)
    wanted = _ordered(sliders) * UNITS
    if not wanted.any():
        return audio
    parts, values = _parts(audio, rate, sliders.longer, seed)
    changed = filtered_parts(parts, *_solved_again(parts, wanted, values))
    whole = changed.partials + changed.residual
    whole *= _level(audio, whole, rate, parts.onset)
    if whole.shape[1] > audio.shape[1]:
        fade = round(_END_FADE * whole.shape[1])
        whole[:, -fade:] *= np.cos(np.linspace(0, np.pi / 2, fade, dtype=np.float32)) ** 2
    return whole if mask is None else kept(audio, whole, rate, mask)


def describe(hit: ArrayLike, rate: int) -> dict[str, float]:
    """Return the descriptors of a hit (channels, frames) at `rate` Hz, by the names of the sliders."""
    audio = checked(hit, rate)
    values = measure(*parts_of(audio, rate), rate, onset_frame(audio)).values
    return dict(zip(DESCRIPTORS, values.tolist(), strict=True))


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


def _ordered(sliders: Sliders) -> Array:
    return np.array(astuple(sliders), float)


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
