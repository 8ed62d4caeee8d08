"""Extend: a tail that was cut rings on.

Its partials go on as decaying sinusoids, with the frequencies, decay times and phases that they have before the cut.
The residual goes on as noise of its own spectrum, each band with its own decay time.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ghostnote.bridge.dsp.conversion import fitted, resample
from ghostnote.bridge.dsp.noise_tail import continued_noise
from ghostnote.bridge.dsp.onset import onset_frame
from ghostnote.bridge.dsp.partials import RATE, split
from ghostnote.bridge.dsp.shape import HOP_FRAMES, audio_power, describe_bands, to_bands
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.tools.arguments import check, checked
from ghostnote.bridge.tools.decaying_lines import continued_lines
from ghostnote.bridge.tools.parts import Audio

Array = NDArray[np.float64]

LONGEST_SECONDS: Final = 60.0
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
_OVERLAP: Final = 1024
_LATE_FRAMES: Final = 70
"""0.4 s, over which bands' decay is measured."""
_T60_SECONDS: Final = (0.03, 12.0)
_SLOWER: Final = 2.0
"""How much longer a band may take to decay than it took, and than all: what does not decay is the recording's."""
_SEAM_SECONDS: Final = 0.02
_FADE_SECONDS: Final = 0.05
_QUIET: Final = 1e-18
_TREND_FRAMES: Final = 441
_TREND_BLOCKS: Final = 22
_LEAST_BLOCKS: Final = 5
_SEAM_BLOCKS: Final = 3
"""30 ms after the cut, in which a step of the level would be audible."""
_SETTLED_FRAMES: Final = 1323
_SLOWEST_FALL_DB: Final = -0.05
"""In each block of 10 ms: a decay of 12 s."""
_MOST_STEP_DB, _MOST_TREND_DB = 4.0, 6.0


def extend(hit: ArrayLike, rate: int, seconds: float, *, seed: int = 1) -> Audio:
    """Return a hit (channels, frames) at `rate` Hz that rings on until it lasts `seconds`.

    What is before the cut stays as it is but for the last 26 ms, over which the continuation's noise fades in; a
    fade-out at the end of the recording is left out. `seed` decides the noise. `InputError` where the hit lasts as long
    already, or is too short to say how it decays.
    """
    audio = checked(hit, rate)
    check("seconds", seconds, LEAST_SECONDS, LONGEST_SECONDS)
    frames = round(seconds * rate)
    if frames <= audio.shape[1]:
        raise InputError(f"the hit lasts {audio.shape[1] / rate:.2f} s already: give more than that")
    low = resample(audio, rate, RATE)
    end = natural_end(low)
    if end - onset_frame(low) < LEAST_SECONDS * RATE:
        raise InputError(f"the hit lasts less than {LEAST_SECONDS:g} s: that says too little of how it decays")
    ringing, noise = continued_parts(low[:, :end], -(-frames * RATE // rate), seed)
    longer = fitted(resample(_on_trend(low[:, :end], ringing + noise), RATE, rate), frames)
    joined = _joined(audio, longer, round(end * rate / RATE), rate)
    fade = min(round(_FADE_SECONDS * rate), frames - round(end * rate / RATE))
    joined[:, frames - fade :] *= np.cos(np.linspace(0, np.pi / 2, fade, dtype=np.float32)) ** 2
    return joined


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
    overlap = min(_OVERLAP, seen // 2)
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


def _on_trend(hit: Audio, longer: Audio) -> Audio:
    """Return a continued hit (channels, frames) whose level goes on as that of the `hit` (channels, fewer) fell.

    Over the first 0.2 s after the cut: how loud and how fast noise and lines that beat happen to be there is chance.
    """
    end, block = hit.shape[1], _TREND_FRAMES
    begun = min(onset_frame(hit) + _SETTLED_FRAMES, end - _LEAST_BLOCKS * block)
    first = max(begun, end - _TREND_BLOCKS * block)
    if first < 0 or longer.shape[1] - end < _TREND_BLOCKS * block:
        return longer
    before, after = _levels_db(hit[:, first:]), _levels_db(longer[:, end : end + _TREND_BLOCKS * block])
    at = np.arange(len(before)) - len(before) + 0.5
    fall = min(float(np.polyfit(at, before, 1)[0]), _SLOWEST_FALL_DB)
    wanted = float(before.mean() - fall * at.mean())
    places = np.arange(len(after)) + 0.5
    now = float(np.polyfit(places, after, 1)[0])
    # The level is set where a step would be audible, the fall from there on.
    seam = after[:_SEAM_BLOCKS]
    step = np.clip(
        wanted + fall * _SEAM_BLOCKS / 2 - 10 * np.log10((10 ** (seam / 10)).mean()), -_MOST_STEP_DB, _MOST_STEP_DB
    )
    blocks = (np.arange(longer.shape[1]) - end) / block
    slope = np.clip(blocks, 0, _TREND_BLOCKS) - _SEAM_BLOCKS / 2 * np.clip(blocks, 0, 1)
    gain_db = step * np.clip(blocks * block / _OVERLAP + 1, 0, 1)
    gain_db += np.clip((fall - now) * slope, -_MOST_TREND_DB, _MOST_TREND_DB)
    return np.asarray(longer * 10 ** (gain_db / 20), np.float32)


def _levels_db(sound: Audio) -> Array:
    """Return the level of the last whole blocks of a sound (channels, frames), in dB."""
    whole = sound[:, sound.shape[1] % _TREND_FRAMES :].astype(np.float64)
    return np.asarray(10 * np.log10(np.square(whole).reshape(len(whole), -1, _TREND_FRAMES).mean(axis=(0, 2)) + _QUIET))


def _joined(audio: Audio, longer: Audio, end: int, rate: int) -> Audio:
    """Return the audio before its end at `end`, and from there on what is `longer`."""
    overlap = min(round((_OVERLAP + 128) * rate / RATE), end)
    rise = np.linspace(0, 1, min(overlap, round(_SEAM_SECONDS / 4 * rate)), dtype=np.float32)
    whole = longer.copy()
    start = end - overlap
    whole[:, :start] = audio[:, :start]
    # The two are alike here but for what lies above the rate at which the continuation is made.
    seam = slice(start, start + len(rise))
    whole[:, seam] = audio[:, seam] * (1 - rise) + longer[:, seam] * rise
    return whole
