"""What rings and what is noise of a hit, from its end on: lines that decay, and noise of its own spectrum."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.conversion import fitted
from ghostnote.bridge.dsp.decaying_lines import continued_lines
from ghostnote.bridge.dsp.noise_tail import continued_noise
from ghostnote.bridge.dsp.onset import onset_frame
from ghostnote.bridge.dsp.partials import RATE, split
from ghostnote.bridge.dsp.parts import Audio
from ghostnote.bridge.dsp.shape import HOP_FRAMES, audio_power, describe_bands, to_bands

Array = NDArray[np.float64]

LEAST_SECONDS: Final = 0.05
"""A hit that lasts less from its onset says too little of how it decays."""
_MIRRORED: Final = 8192
_LEVEL_FRAMES, _LEVEL_HOP = 1024, 256
_TRIMMED_DB: Final = -80.0
_FITTED_LEVELS: Final = 86
"""Half a second."""
_FADED_DB, _BEGUN_DB = 3.0, 1.0
"""An end so far below the trend is a fade's, which begins where the level falls below it."""
_MOST_FADED: Final = 0.5
_SEEN: Final = (1024, 3840)
"""Frames at the end from which the noise's spectrum is taken: over these the lines are known."""
_LATE_FRAMES: Final = 70
"""0.4 s, over which bands' decay is measured."""
_T60_SECONDS: Final = (0.03, 12.0)
_SLOWER: Final = 2.0
"""How much longer a band may take to decay than it took, and than all: what does not decay is the recording's."""
OVERLAP: Final = 1024
"""Frames before the end over which noise that goes on fades in."""
_QUIET: Final = 1e-18


def natural_end(hit: Audio) -> int:
    """Return the frame at which a hit (channels, frames) at 44.1 kHz ends, or where the fade at its end begins."""
    power = np.pad(np.square(hit).sum(axis=0, dtype=np.float64), (_LEVEL_FRAMES, 0)).cumsum()
    ends = np.arange(hit.shape[1], 0, -_LEVEL_HOP)[::-1]
    starts = np.maximum(ends - _LEVEL_FRAMES, 0)
    level = 10 * np.log10(
        (power[ends + _LEVEL_FRAMES - 1] - power[starts + _LEVEL_FRAMES - 1]) / _LEVEL_FRAMES + _QUIET
    )
    peak = int(level.argmax())
    last = int(np.flatnonzero(level > level[peak] + _TRIMMED_DB)[-1])
    first = max(peak + 2, last - _FITTED_LEVELS)
    trusted = first + round((1 - _MOST_FADED) * (last - first))
    if trusted - first < 4:
        return int(ends[last])
    trend = np.polyval(np.polyfit(np.arange(first, trusted), level[first:trusted], 1), np.arange(len(level)))
    if level[last] < trend[last] - _FADED_DB:
        while last > trusted and level[last] < trend[last] - _BEGUN_DB:
            last -= 1
    return int(ends[last])


def continued_parts(hit: Audio, frames: int, seed: int) -> tuple[Audio, Audio]:
    """Return what rings and what is noise of `frames` frames that begin as a `hit` (channels, fewer) at 44.1 kHz."""
    end = hit.shape[1]
    # Mirrored, it does not end abruptly for the windows that look at it.
    mirrored = np.pad(hit, ((0, 0), (0, min(_MIRRORED, end - 1))), mode="reflect")
    partials, residual = (part[:, :end] for part in split(mirrored))
    ringing, left = continued_lines(partials, residual, frames, onset_frame(hit))
    # What the lines leave in the end, and not before, would seem to grow: the whole says how bands decay.
    return ringing, _continued_noise(left, _late_t60(hit[:, onset_frame(hit) :]), frames, seed)


def _continued_noise(residual: Audio, t60: Array, frames: int, seed: int) -> Audio:
    """Return a residual (channels, fewer) that goes on as noise, (channels, frames); two sides keep their image.

    Each band decays in its `t60` (BANDS,) seconds.
    """
    sides = residual
    if len(residual) == 2:
        sides = np.stack([residual[0] + residual[1], residual[0] - residual[1]]) * np.float32(0.5)
    seen = int(np.clip(residual.shape[1] - 512, *_SEEN))
    overlap = min(OVERLAP, seen // 2)
    if residual.shape[1] < seen + 256:
        return fitted(residual, frames)
    tails = [
        continued_noise(side, t60, frames, np.random.default_rng([seed, i]), seen=seen, crossfade=overlap)
        for i, side in enumerate(sides)
    ]
    whole = np.stack(tails)
    return np.stack([whole[0] + whole[1], whole[0] - whole[1]]) if len(residual) == 2 else whole


def _late_t60(hit: Audio) -> Array:
    """Return the seconds (BANDS,) in which each band of a hit (channels, frames) decays towards its end."""
    whole = hit[:, hit.shape[1] % HOP_FRAMES :]
    power = np.asarray(sum((to_bands(audio_power(side)) for side in whole), np.zeros(())))
    _, overall = describe_bands(power)
    late = 10 * np.log10(power[:, -min(_LATE_FRAMES, power.shape[1] // 2) : -1] + _QUIET)
    if late.shape[1] < 6:
        return overall
    total = 10 * np.log10((10 ** (late / 10)).sum(axis=0))
    slope: NDArray[Any] = np.polyfit(np.arange(late.shape[1]), np.vstack([late, total]).T, 1)[0]
    seconds = 60 / np.maximum(-slope, 1e-3) * HOP_FRAMES / RATE
    # A band of noise says little of its own decay: none takes much longer than all together.
    return np.asarray(np.clip(np.minimum(seconds[:-1], _SLOWER * np.minimum(overall, seconds[-1])), *_T60_SECONDS))
