"""What is broken in a hit: dropouts, clipped peaks, clicks, and a beginning that is cut off."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.autoregression import burg
from ghostnote.bridge.dsp.onset import onset_frame

Audio = NDArray[np.float32]
Array = NDArray[np.float64]

_LEAST_SILENT_SECONDS: Final = 0.0004
_BESIDE_SECONDS: Final = 0.002
_LEAST_LEVEL: Final = 10 ** (-50 / 20)
"""What is beside a dropout is louder than this share of the peak."""
_LEAST_FLAT: Final = 3
_FLAT: Final = 2e-4
_FALLS: Final = 5e-3
"""A clipped wave falls by more in as many frames as it was flat; the round top of a deep tone by nine times `_FLAT`."""
_CLIPPED_SHARE: Final = 0.98
_ORDER: Final = 24
_BLOCK_SECONDS: Final = 0.012
_OUTLIER: Final = 14.0
_LEAST_CLICK: Final = 10 ** (-50 / 20)
"""Beside the peak: steps of 16 bits stand out by -60 dB in a fade-out, and edges of a drum machine's tones by -55."""
_ATTACK_SECONDS: Final = 0.015
"""After the onset a stick or beater may click by itself."""
_LONGEST_CLICK_SECONDS: Final = 0.0012
_AFTER_SECONDS: Final = 0.0015
_LASTING_DB: Final = 6.0
_BEGUN: Final = 10 ** (-40 / 20)
"""Beside the peak: a hit's first sample is softer, as it begins in silence."""
_BEGUN_SECONDS: Final = 0.0002
_BEGUN_LEVEL: Final = 10 ** (-30 / 20)
"""Beside the peak: what is louder in its first moment is no noise of a room, either."""
_QUIET: Final = 1e-12


@dataclass(frozen=True)
class Damage:
    """A part of a hit that is broken."""

    kind: str
    """dropout, clipped, click, or cut attack."""
    start: int
    """Its first frame; of a cut attack 0, as what is missing lies before it."""
    end: int
    """The frame behind its last."""


def find_damage(channel: Audio, rate: int) -> list[Damage]:
    """Return what is broken in one channel (frames,) of a hit, in the order of time, without overlaps."""
    signal = np.asarray(channel, np.float64)
    peak = float(np.abs(signal).max(initial=0.0))
    if peak < _QUIET:
        return []
    found = [*_dropouts(signal, rate, peak), *_clipped(signal, peak)]
    found += [click for click in _clicks(signal, rate, peak) if not any(_overlap(click, other) for other in found)]
    if is_cut(signal, rate):
        found.append(Damage("cut attack", 0, 0))
    return sorted(found, key=lambda damage: (damage.start, damage.end))


def is_cut(signal: Array, rate: int) -> bool:
    """Return whether a channel (frames,) of a hit begins in the midst of its sound."""
    size = np.abs(signal)
    begun = size[: max(2, round(_BEGUN_SECONDS * rate))].max()
    return bool(size[0] > _BEGUN * size.max() and begun > _BEGUN_LEVEL * size.max())


def _overlap(one: Damage, other: Damage) -> bool:
    """Return whether two parts overlap, or nearly: what is clipped is hard to predict from."""
    return one.start - _ORDER < other.end and other.start < one.end + _ORDER


def _runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return where flags (frames,) are true, as starts and ends."""
    edges = np.flatnonzero(np.diff(np.pad(flags.astype(np.int8), 1)))
    return [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def _dropouts(signal: Array, rate: int, peak: float) -> list[Damage]:
    """Return runs of exact silence between sounding parts."""
    beside, least = round(_BESIDE_SECONDS * rate), max(4, round(_LEAST_SILENT_SECONDS * rate))
    found = []
    for start, end in _runs(signal == 0):
        before, after = signal[max(0, start - beside) : start], signal[end : end + beside]
        if end - start < least or not before.size or not after.size:
            continue
        if min(np.abs(before).max(), np.abs(after).max()) > _LEAST_LEVEL * peak:
            found.append(Damage("dropout", start, end))
    return found


def _clipped(signal: Array, peak: float) -> list[Damage]:
    """Return flat tops near the loudest sample: a wave that is not clipped stays there for an instant alone."""
    found = []
    for sign in (1, -1):
        top = float((sign * signal).max())
        if top < _CLIPPED_SHARE * peak:
            continue
        shape = sign * signal / top
        found += [Damage("clipped", *run) for run in _runs(shape > 1 - _FLAT) if _is_cut_off(shape, *run)]
    return found


def _is_cut_off(shape: Array, start: int, end: int) -> bool:
    """Return whether a run near 1 is flat and has edges, where a round top has none."""
    frames = end - start
    beside = shape[[max(0, start - frames), min(len(shape) - 1, end - 1 + frames)]]
    return frames >= _LEAST_FLAT and bool((beside < 1 - _FALLS).all())


def _clicks(signal: Array, rate: int, peak: float) -> list[Damage]:
    """Return short bursts that a prediction from their surroundings misses by far, and that are over at once."""
    block = round(_BLOCK_SECONDS * rate)
    longest, after = round(_LONGEST_CLICK_SECONDS * rate), round(_AFTER_SECONDS * rate)
    found = []
    begun = onset_frame(signal[None]) + round(_ATTACK_SECONDS * rate)
    for first in range(begun, len(signal) - block, 3 * block // 4):
        part = signal[first : first + block]
        if np.abs(part).max() < _QUIET:
            continue
        errors = np.convolve(part, burg([part], _ORDER)[0])[_ORDER : len(part)]
        usual = float(np.median(np.abs(errors))) / 0.6745 + _QUIET
        for start, end in _joined(_runs(np.abs(errors) > max(_OUTLIER * usual, _LEAST_CLICK * peak)), longest // 2):
            at = first + _ORDER + start
            click = Damage("click", at - 1, first + _ORDER + end + 1)
            if end - start <= longest and _passes(signal, click, after):
                found.append(click)
    return _merged(found)


def _joined(runs: list[tuple[int, int]], apart: int) -> list[tuple[int, int]]:
    """Return runs, those that are nearer than `apart` as one."""
    joined: list[tuple[int, int]] = []
    for start, end in runs:
        if joined and start - joined[-1][1] <= apart:
            joined[-1] = joined[-1][0], end
        else:
            joined.append((start, end))
    return joined


def _passes(signal: Array, click: Damage, after: int) -> bool:
    """Return whether the level is the same before and after: an attack lasts, a click does not."""
    before = signal[max(0, click.start - after) : click.start]
    behind = signal[click.end : click.end + after]
    if not before.size or not behind.size:
        return False
    levels = [10 * np.log10(np.square(part).mean() + _QUIET) for part in (before, behind)]
    return bool(levels[1] - levels[0] < _LASTING_DB)


def _merged(found: list[Damage]) -> list[Damage]:
    merged: list[Damage] = []
    for click in sorted(found, key=lambda damage: damage.start):
        if merged and click.start <= merged[-1].end:
            merged[-1] = Damage("click", merged[-1].start, max(merged[-1].end, click.end))
        else:
            merged.append(click)
    return merged
