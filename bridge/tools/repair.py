"""A broken hit is mended: what is missing is drawn from an autoregressive model of what surrounds it.

The model knows the lines that ring and the colour of the noise, and the decay is taken out first, so that left and
right of a gap are one sound. Noise is not guessed at its mean, which is silence, but drawn anew.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ghostnote.bridge.dsp.autoregression import burg, drawn
from ghostnote.bridge.dsp.line_fit import fit_lines
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.arguments import check_seed
from ghostnote.bridge.tools.arguments import checked
from ghostnote.bridge.tools.damage import Damage, find_damage

Audio = NDArray[np.float32]
Array = NDArray[np.float64]

_LONGEST_SECONDS: Final = 0.2
_CONTEXT_SECONDS: Final = 0.06
_LEAST_CONTEXT: Final = 32
_ORDER: Final = 160
_LEVEL_SECONDS: Final = 0.006
_LINES_SECONDS: Final = 0.004
"""In longer gaps, lines go on by themselves; shorter ones the model alone can fill. Clipped peaks, too: the little that
is whole between them would make lines explode."""
_PASSES: Final = 2
_NEAR_FRAMES: Final = 1600
"""What is this near to a gap says how loud the noise in it is."""
_FLATTENED_DB: Final = 40.0
_CUT_SECONDS: Final = 0.002
_SILENT: Final = 10 ** (-60 / 20)
"""Beside what follows: before the attack there is nothing to mend from."""
_QUIET: Final = 1e-12


@dataclass(frozen=True, eq=False)
class Repaired:
    """A mended hit, and what was broken."""

    audio: Audio
    """(channels, frames): of the hit's own length, but where a cut attack was put before it."""
    damage: tuple[tuple[Damage, ...], ...]
    """What was found in each channel."""


def repair(
    hit: ArrayLike, rate: int, *, start: float | None = None, end: float | None = None, seed: int = 1
) -> Repaired:
    """Return a hit (channels, frames) without what is broken in it.

    From `start` to `end`, in seconds, all is made anew; without them what is broken is found. What is whole stays as it
    is, sample by sample. `InputError` for times that lie outside the hit, or more than 0.2 s at once.
    """
    audio = checked(hit, rate)
    check_seed(seed)
    if (start is None) != (end is None):
        raise InputError("of start and end only one is given: give both, or neither to find what is broken")
    if start is not None and end is not None:
        span = _span(audio.shape[1], rate, start, end)
        damage = [[Damage("given", *span)] for _ in audio]
    else:
        damage = [find_damage(channel, rate) for channel in audio]
    mended = np.stack([mended_channel(one, rate, found, seed) for one, found in zip(audio, damage, strict=True)])
    if any(found and found[0].kind == "cut attack" for found in damage):
        mended = np.concatenate([_attack(mended, rate, seed), mended], axis=1)
    return Repaired(mended, tuple(tuple(found) for found in damage))


def mended_channel(channel: Audio, rate: int, damage: list[Damage], seed: int) -> Audio:
    """Return one channel (frames,) with its damage filled, the shortest first: each is context for the next."""
    mended = np.asarray(channel, np.float64).copy()
    broken = np.zeros(len(mended), bool)
    for part in damage:
        broken[part.start : part.end] = True
    wide = [part for part in sorted(damage, key=lambda part: part.end - part.start) if part.end > part.start]
    # Once more where there are several: then each has what was made of the others around it.
    for part in wide * (_PASSES if len(wide) > 1 else 1):
        filled = _filled(mended, part, rate, np.random.default_rng([seed, part.start]), broken)
        if part.kind == "clipped":
            # The wave went beyond where it was clipped, never less far.
            flat = np.asarray(channel[part.start : part.end], np.float64)
            filled = np.sign(flat) * np.maximum(np.sign(flat) * filled, np.abs(flat))
        mended[part.start : part.end] = filled
        broken[part.start : part.end] = False
    whole: Audio = channel.copy()
    for part in damage:
        whole[part.start : part.end] = mended[part.start : part.end]
    return whole


def _span(frames: int, rate: int, start: float, end: float) -> tuple[int, int]:
    first, last = round(start * rate), round(end * rate)
    if not 0 <= first < last <= frames:
        raise InputError(
            f"from {start:g} to {end:g} s is not within the hit: choose 0 to {frames / rate:.4f}, the first one lower"
        )
    if end - start > _LONGEST_SECONDS:
        raise InputError(f"from {start:g} to {end:g} s is more than {_LONGEST_SECONDS} s: mend a shorter part")
    return first, last


def _filled(signal: Array, part: Damage, rate: int, rng: np.random.Generator, broken: NDArray[np.bool_]) -> Array:
    """Return what stands in for a part of a signal (frames,); from silence it rises."""
    frames = part.end - part.start
    before, after = signal[: part.start], signal[part.end :]
    begins = not before.size or np.abs(before).max() < _SILENT * np.abs(after).max(initial=0.0)
    # Backwards what decays would grow without end.
    rings = frames > _LINES_SECONDS * rate and part.kind != "clipped" and not begins
    reach = max(round(_CONTEXT_SECONDS * rate), 2 * frames) if rings else 4 * _ORDER + frames
    left = _whole(signal, broken, part.start, -reach)
    right = _whole(signal, broken, part.end, reach)
    if len(left) + len(right) < _LEAST_CONTEXT:
        return np.zeros(frames)
    lines = np.zeros(len(left) + frames + len(right))
    if rings:
        known = np.r_[np.ones(len(left)), np.zeros(frames), np.ones(len(right))] > 0
        lines = fit_lines(np.concatenate([left, np.zeros(frames), right]), known)
    start, end = len(left), len(left) + frames
    left, right, gain = _flattened(left - lines[:start], right - lines[end:], frames, rate)
    whole = np.concatenate([left, np.zeros(frames), right])
    contexts = [each for each in (left[-_NEAR_FRAMES:], right[:_NEAR_FRAMES]) if len(each) > _LEAST_CONTEXT // 2]
    order = min(_ORDER, min(len(each) for each in contexts) // 3)
    share = 1.0 if part.kind in ("given", "dropout") else 0.0
    filled = drawn(whole, start, end, burg(contexts, order), rng, share) * gain + lines[start:end]
    return filled * _rise(frames, min(frames, round(_CUT_SECONDS * rate))) if begins else filled


def _whole(signal: Array, broken: NDArray[np.bool_], at: int, reach: int) -> Array:
    """Return up to `reach` frames after `at`, or before it where negative, as far as nothing is broken."""
    if reach < 0:
        first = max(0, at + reach)
        bad = np.flatnonzero(broken[first:at])
        return signal[first + int(bad[-1]) + 1 if bad.size else first : at]
    last = min(len(signal), at + reach)
    bad = np.flatnonzero(broken[at:last])
    return signal[at : at + int(bad[0]) if bad.size else last]


def _flattened(left: Array, right: Array, frames: int, rate: int) -> tuple[Array, Array, Array]:
    """Return what is left and right of a gap at one level, and the gain (frames,) of what fills it.

    The level follows a straight line in dB from one side's to the other's.
    """
    near = round(_LEVEL_SECONDS * rate)
    sides = [part for part in (left[-near:], right[:near]) if part.size]
    levels = [10 * np.log10(np.square(part).mean() + _QUIET) for part in sides]
    if len(levels) < 2 or abs(levels[1] - levels[0]) > _FLATTENED_DB:
        return left, right, np.ones(frames)
    slope = (levels[1] - levels[0]) / (frames + near)
    places = [np.arange(-len(left), 0), np.arange(frames), np.arange(frames, frames + len(right))]
    # The contexts themselves go on with that slope for as long as the gap lasts, and then stay.
    gains = [10 ** (slope * np.clip(at, -frames - near, 2 * frames + near) / 20) for at in places]
    return left / gains[0], right / gains[2], gains[1]


def _rise(frames: int, rising: int) -> Array:
    """Return a gain (frames,) that rises from 0 to 1 over its first `rising` frames."""
    return np.asarray(np.sin(np.pi / 2 * np.minimum(np.arange(frames) / rising, 1)) ** 2)


def _attack(hit: Audio, rate: int, seed: int) -> Audio:
    """Return the missing first moment of a hit (channels, frames), which rises into it, (channels, few)."""
    frames = round(_CUT_SECONDS * rate)
    rise = _rise(frames, frames)
    made = []
    for channel in hit:
        right = np.asarray(channel[: round(_CONTEXT_SECONDS * rate)], np.float64)
        order = max(1, min(_ORDER, len(right) // 3))
        signal = np.concatenate([np.zeros(frames), right])
        rng = np.random.default_rng([seed, frames])
        made.append(drawn(signal, 0, frames, burg([right], order), rng) * rise)
    return np.asarray(made, np.float32)
