"""Morph: drums between two drums, and one drum that goes over into another.

Their partials are matched line by line, and frequency, level, decay and glide are interpolated; so half-way there is
one set of partials, where a crossfade has two. Of the residuals the envelope is interpolated. Both begin at one onset.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ghostnote.bridge.dsp.continuation import LEAST_SECONDS, continued_parts, natural_end
from ghostnote.bridge.dsp.conversion import fitted, resample
from ghostnote.bridge.dsp.onset import LEAD_SECONDS, onset_frame
from ghostnote.bridge.dsp.partials import RATE, split
from ghostnote.bridge.dsp.parts import Audio
from ghostnote.bridge.dsp.velocity import onset_power
from ghostnote.bridge.tools.arguments import check, checked
from ghostnote.bridge.tools.description import brightness_hz
from ghostnote.bridge.tools.levels_between import (
    balanced,
    level_between,
    level_db,
    levelled,
    noise_over_ringing_db,
    tilted,
)
from ghostnote.bridge.tools.noise_cells import HOP, interpolated_noise, windows_of
from ghostnote.bridge.tools.parted_lines import STEP
from ghostnote.bridge.tools.pitch import PITCH_HZ
from ghostnote.bridge.tools.tracks import FLOOR_DB, NEPERS, LineTracks, Tracks, ringing, tracks_of

Array = NDArray[np.float64]

MOST_STEPS: Final = 99
CURVES: Final = (0.1, 10.0)
_LEAD: Final = round(LEAD_SECONDS * RATE)
_RISE: Final = _LEAD // 2
_LEVELS_OCTAVES: Final = 0.01
"""How much a difference in level of 1 dB counts beside one in frequency, when lines are matched."""
_FARTHEST_OCTAVES: Final = 0.5
_SEED: Final = 1
_NEAR: Final = 0.9
"""From this share of a hit on, a transition goes over into the hit itself."""
_TINY: Final = 1e-20


@dataclass(frozen=True, eq=False)
class _Hit:
    """One of two hits, from just before its onset, as long and with as many channels as the other."""

    whole: Audio
    rung: Audio
    """The same, and what rings on after a hit that ends sooner than the other."""
    tracks: Tracks | None
    residual: Audio
    noise_db: float
    """How loud what does not ring is, beside what does."""


def morph(a: ArrayLike, b: ArrayLike, rate: int, shares: ArrayLike) -> list[Audio]:
    """Return drums between two hits (channels, frames) at `rate` Hz, one for each share of the second, 0 to 1.

    Each begins 1 ms before its onset and is as long as the longer hit; a share of 0 or 1 gives the hit itself. Mono is
    copied where the other is stereo. `InputError` for a share out of its range.
    """
    wanted = np.atleast_1d(np.asarray(shares, float))
    for share in wanted.tolist():
        check("share", share, 0, 1)
    first, second = _prepared(a, b, rate)
    return [resample(_between(first, second, share), RATE, rate) for share in wanted.tolist()]


def morph_steps(a: ArrayLike, b: ArrayLike, rate: int, steps: int = 7, *, curve: float = 1.0) -> list[Audio]:
    """Return `steps` drums from one hit to another, both included; all else is as in `morph`.

    A `curve` above 1 stays near the first hit for longer, below 1 near the second.
    """
    check("steps", steps, 2, MOST_STEPS)
    check("curve", curve, *CURVES)
    return morph(a, b, rate, np.linspace(0, 1, steps) ** curve)


def transition(a: ArrayLike, b: ArrayLike, rate: int, *, start: float = 0.02, seconds: float = 0.2) -> Audio:
    """Return a hit that begins as `a` and has become `b` after `start` and `seconds` more, (channels, frames).

    Its lines glide from those of the one to those of the other. `InputError` for times out of their range.
    """
    check("start", start, 0, 10)
    check("seconds", seconds, 0.001, 60)
    first, second = _prepared(a, b, rate)
    frames = first.whole.shape[1]

    def share(at: Array) -> Array:
        progress = np.clip((at / RATE - _LEAD / RATE - start) / seconds, 0, 1)
        return np.asarray(0.5 - 0.5 * np.cos(np.pi * progress))

    made = np.add(*_parts(first, second, share, frames))
    # What begins as the one hit and ends as the other is these hits themselves there.
    shares = share(np.arange(frames, dtype=np.float64))
    for whole, near in ((first.whole, 1 - shares), (second.whole, shares)):
        own = np.clip((near - _NEAR) / (1 - _NEAR), 0, 1).astype(np.float32)
        made += own * (whole - made)
    part = share(_times(windows_of(frames), HOP))
    level = (1 - part) * level_db(first.rung) + part * level_db(second.whole)
    return resample(_finished(made, level), RATE, rate)


def _prepared(a: ArrayLike, b: ArrayLike, rate: int) -> tuple[_Hit, _Hit]:
    """Return both hits from just before their onsets, equally long, in lines and noise."""
    hits = []
    for hit in (a, b):
        low = resample(checked(hit, rate), rate, RATE)
        lead = onset_frame(low) - _LEAD
        hits.append(low[:, lead:] if lead >= 0 else np.pad(low, ((0, 0), (-lead, 0))))
    frames, channels = max(hit.shape[1] for hit in hits), max(len(hit) for hit in hits)
    return _parted(hits[0], frames, channels), _parted(hits[1], frames, channels)


def _parted(hit: Audio, frames: int, channels: int) -> _Hit:
    hit = np.ascontiguousarray(_spread(hit, channels))
    end = natural_end(hit)
    if hit.shape[1] < frames and end - _LEAD > LEAST_SECONDS * RATE:
        # A hit that ends sooner rings on, or what lies between would end in a step.
        partials, residual = continued_parts(hit[:, :end], frames, _SEED)
    else:
        partials, residual = split(fitted(hit, frames))
    tracks, left = tracks_of(partials, frames)
    whole = fitted(hit, frames)
    ringing, noise = split(whole)
    return _Hit(whole, partials + residual, tracks, residual + left, noise_over_ringing_db(noise, ringing))


def _spread(audio: Audio, channels: int) -> Audio:
    """Return audio with more channels, the last one repeated."""
    return audio[np.minimum(np.arange(channels), len(audio) - 1)]


def _between(a: _Hit, b: _Hit, share: float) -> Audio:
    """Return the drum at one share of `b`, as loud in its first 0.1 s as lies between them in decibels."""
    if share in (0, 1):
        return (b if share else a).whole

    def shares(at: Array) -> Array:
        return np.full(len(at), share)

    lines, noise = _parts(a, b, shares, a.whole.shape[1])
    level = level_between(a.whole, b.whole, share)
    centroid = brightness_hz(a.whole, RATE) ** (1 - share) * brightness_hz(b.whole, RATE) ** share
    made = balanced(
        lines,
        noise,
        (1 - share) * a.noise_db + share * b.noise_db,
        lambda x: _finished(tilted(levelled(x, level), centroid), level),
    )
    was, now, then = (onset_power(sound[:, _LEAD:], RATE) + _TINY for sound in (a.whole, made, b.whole))
    return made * np.float32(np.sqrt(was ** (1 - share) * then**share / now))


def _finished(made: Audio, level: Array) -> Audio:
    """Return what lies between two hits at a level in dB, (windows,); it rises with their onset."""
    made = levelled(made, level)
    made[:, : _LEAD - _RISE] = 0
    made[:, _LEAD - _RISE : _LEAD] *= np.sin(np.linspace(0, np.pi / 2, _RISE, dtype=np.float32)) ** 2
    return made


def _parts(a: _Hit, b: _Hit, share: Callable[[Array], Array], frames: int) -> tuple[Audio, Audio]:
    """Return the lines and the noise that lie between two hits, by the share of `b` at frames of time."""
    noise = interpolated_noise(a.residual, b.residual, share(_times(windows_of(frames), HOP)))
    values = share(_times(-(-frames // STEP) + 1, STEP))
    if a.tracks is None or b.tracks is None:
        return _alone(a.tracks, 1 - values, frames, noise) + _alone(b.tracks, values, frames, noise), noise
    return _matched(a.tracks, b.tracks, values, frames), noise


def _times(count: int, hop: int) -> Array:
    return np.asarray(np.arange(count) * hop, np.float64)


def _alone(tracks: Tracks | None, share: Array, frames: int, like: Audio) -> Audio:
    """Return lines that have none to become, louder the larger their share is."""
    if tracks is None:
        return np.zeros_like(like)
    everything = list(range(len(tracks.strength)))
    sides = [tracks.channel(channel, everything).changed(0, _faded(share)) for channel in range(len(like))]
    return np.stack([ringing(side, frames) for side in sides])


def _faded(share: Array) -> Array:
    """Return the log gain of what comes or goes: half-way it is 18 dB down."""
    return np.asarray(np.maximum(3 * np.log(np.maximum(share, 1e-9)), FLOOR_DB * NEPERS))


def _matched(a: Tracks, b: Tracks, share: Array, frames: int) -> Audio:
    """Return lines between those of two hits: matched ones interpolated, others moved with the main line and faded."""
    ours, theirs = pairs(a, b)
    apart = float(b.middle[theirs[0]] - a.middle[ours[0]])
    alone_a, alone_b = ([i for i in range(len(x.strength)) if i not in own] for x, own in ((a, ours), (b, theirs)))
    levels = _levels_between(a.level[:, ours], b.level[:, theirs], share)
    sides = []
    for channel, level in enumerate(levels):
        lines = LineTracks.joined(
            replace(a.channel(channel, ours).towards(b.channel(channel, theirs), share), level=level),
            a.channel(channel, alone_a).changed(_moved(a, alone_a, share * apart), _faded(1 - share)),
            b.channel(channel, alone_b).changed(_moved(b, alone_b, (share - 1) * apart), _faded(share)),
        )
        sides.append(ringing(lines, frames))
    return np.stack(sides)


def _levels_between(a: Array, b: Array, share: Array) -> Array:
    """Return the levels (channels, lines, values) of matched lines: of all channels in decibels, their shares evenly.

    In decibels a line that is silent at one side of one hit would leave it half-way already.
    """
    whole = [np.log(np.square(np.exp(each)).mean(axis=0)) / 2 for each in (a, b)]
    shares = [np.exp(2 * (each - own)) for each, own in zip((a, b), whole, strict=True)]
    between = np.log((1 - share) * shares[0] + share * shares[1] + _TINY) / 2
    return np.asarray((1 - share) * whole[0] + share * whole[1] + between)


def _moved(tracks: Tracks, lines: list[int], octaves: Array) -> Array:
    """Return by how many octaves lines move with the main one, (lines, values): rumble stays."""
    return ~_rumble(tracks)[lines, None] * octaves


def _rumble(tracks: Tracks) -> NDArray[np.bool_]:
    """Return which lines lie below all pitch, (lines,)."""
    return np.asarray(tracks.middle < np.log2(PITCH_HZ[0]))


def pairs(a: Tracks, b: Tracks) -> tuple[list[int], list[int]]:
    """Return which lines of `a` become which of `b`: the main ones, and others that lie alike beside those."""
    both = itertools.product(a.main.tolist(), b.main.tolist())
    main_a, main_b = min(both, key=lambda pair: abs(a.middle[pair[0]] - b.middle[pair[1]]))
    place_a, place_b = a.middle - a.middle[main_a], b.middle - b.middle[main_b]
    loud_a, loud_b = (10 * np.log10(each.strength / each.strength.max() + _TINY) for each in (a, b))
    apart = np.where(_rumble(a)[:, None] | _rumble(b), np.inf, np.abs(place_a[:, None] - place_b))
    cost = apart + _LEVELS_OCTAVES * np.abs(loud_a[:, None] - loud_b)
    found = [(main_a, main_b)]
    for i, j in zip(*np.unravel_index(np.argsort(cost, axis=None), cost.shape), strict=True):
        crosses = any((i - x) * (j - y) <= 0 for x, y in found)
        if apart[i, j] < _FARTHEST_OCTAVES and not crosses:
            found.append((int(i), int(j)))
    return [i for i, _ in found], [j for _, j in found]
