"""Extend: a tail that was cut rings on.

Its partials go on as decaying sinusoids, with the frequencies, decay times and phases that they have before the cut.
The residual goes on as noise of its own spectrum, each band with its own decay time.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ghostnote.bridge.dsp.continuation import LEAST_SECONDS, OVERLAP, continued_parts, natural_end
from ghostnote.bridge.dsp.conversion import fitted, resample
from ghostnote.bridge.dsp.onset import onset_frame
from ghostnote.bridge.dsp.partials import RATE
from ghostnote.bridge.dsp.parts import Audio
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.arguments import check, check_seed
from ghostnote.bridge.tools.arguments import checked

Array = NDArray[np.float64]

LONGEST_SECONDS: Final = 60.0
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
    check_seed(seed)
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
    gain_db = step * np.clip(blocks * block / OVERLAP + 1, 0, 1)
    gain_db += np.clip((fall - now) * slope, -_MOST_TREND_DB, _MOST_TREND_DB)
    return np.asarray(longer * 10 ** (gain_db / 20), np.float32)


def _levels_db(sound: Audio) -> Array:
    """Return the level of the last whole blocks of a sound (channels, frames), in dB."""
    whole = sound[:, sound.shape[1] % _TREND_FRAMES :].astype(np.float64)
    return np.asarray(10 * np.log10(np.square(whole).reshape(len(whole), -1, _TREND_FRAMES).mean(axis=(0, 2)) + _QUIET))


def _joined(audio: Audio, longer: Audio, end: int, rate: int) -> Audio:
    """Return the audio before its end at `end`, and from there on what is `longer`."""
    overlap = min(round((OVERLAP + 128) * rate / RATE), end)
    rise = np.linspace(0, 1, min(overlap, round(_SEAM_SECONDS / 4 * rate)), dtype=np.float32)
    whole = longer.copy()
    start = end - overlap
    whole[:, :start] = audio[:, :start]
    # The two are alike here but for what lies above the rate at which the continuation is made.
    seam = slice(start, start + len(rise))
    whole[:, seam] = audio[:, seam] * (1 - rise) + longer[:, seam] * rise
    return whole
