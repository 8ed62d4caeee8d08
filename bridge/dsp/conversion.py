"""Sound in another number of channels, or at another sample rate."""

from typing import Final

import numpy as np
import soxr
from numpy.typing import NDArray

MAX_CHANNELS: Final = 256
"""Of a sound file: pedalboard's readers have a buffer of whole frames, which holds none of thousands of channels, and
then read for ever."""

_CANCELLED: Final = 10 ** (-50 / 20)


def mixdown(audio: NDArray[np.float32], channels: int) -> NDArray[np.float32]:
    """Fold `(any, frames)` to `(channels, frames)`, where channels is 1 or 2, by one rule.

    Mono is copied to both sides; stereo stays. Of more channels the first, third and so on make the left
    side, the others the right. Channels that meet on a side are averaged, those that are silent left out;
    where they cancel each other, as of opposite polarity, the loudest stands for all.
    """
    if audio.shape[0] in (1, channels):
        return audio if audio.shape[0] == channels else np.repeat(audio, channels, axis=0)
    return np.stack([_average(audio[side::channels]) for side in range(channels)])


def resample(audio: NDArray[np.float32], rate_in: int, rate_out: int) -> NDArray[np.float32]:
    """Resample `(channels, frames)` to exactly round(frames · out / in) frames; at equal rates return it as it is."""
    if rate_in == rate_out:
        return audio
    frames = round(audio.shape[1] * rate_out / rate_in)
    resampled = soxr.resample(np.ascontiguousarray(audio.T), rate_in, rate_out, quality="VHQ").T[:, :frames]
    missing = frames - resampled.shape[1]
    whole = np.pad(resampled, ((0, 0), (0, missing))) if missing else resampled
    return np.ascontiguousarray(whole, dtype=np.float32)


def fitted(audio: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """Return the first `frames` frames of sound (…, frames), padded with silence."""
    missing = frames - audio.shape[-1]
    return np.pad(audio, (*((0, 0),) * (audio.ndim - 1), (0, missing))) if missing > 0 else audio[..., :frames]


def _average(channels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average `(any, frames)` to `(frames,)` over the channels that are not silent."""
    peaks = np.abs(channels).max(axis=1)
    sounding = channels[peaks > 0.0]
    if not len(sounding):
        return np.zeros(channels.shape[1], np.float32)
    average = np.asarray(sounding.mean(axis=0), np.float32)
    return average if np.abs(average).max() > _CANCELLED * peaks.max() else channels[peaks.argmax()]
