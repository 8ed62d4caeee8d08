"""A hit in the parts that tools move towards another drum: its partials and its residual."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.conversion import mixdown
from ghostnote.bridge.dsp.onset import LEAD_SECONDS, PEAK_FLOOR, onset_frame
from ghostnote.bridge.dsp.partials import RATE, split
from ghostnote.bridge.dsp.shape import BANDS, HOP_FRAMES, audio_power, describe_bands, to_bands
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.tools.description import pitch_hz

Audio = NDArray[np.float32]
Array = NDArray[np.float64]

FLOOR_DB: Final = -90.0
"""What lies farther under a hit's loudest moment counts as silence."""
_LEAD_FRAMES: Final = int(LEAD_SECONDS * RATE)


@dataclass(frozen=True, eq=False)
class HitParts:
    """A hit at 44.1 kHz, split at its onset; the parts are scaled to a power of 1 at their loudest moment."""

    lead: Audio
    """(channels, frames) before the hit, as they were."""
    partials: Audio
    """(channels, frames)."""
    residual: Audio
    """(channels, frames)."""
    peak: float
    """The largest sample of the hit as it was."""
    hz: float | None
    """The frequency of its strongest partial; None where little of it rings."""

    @classmethod
    def of(cls, hit: Audio) -> Self:
        """Split a hit (channels, frames) at 44.1 kHz; `InputError` for silence."""
        peak = float(np.abs(hit).max(initial=0.0))
        if not PEAK_FLOOR < peak < np.inf:
            raise InputError("the hit is silent, or holds values that are not finite: give a sound")
        start = max(0, onset_frame(hit) - _LEAD_FRAMES)
        parts = split(hit[:, start:])
        loudest = max(float(sum(power_of(part, whole_frames(part)).sum(axis=0) for part in parts).max()), PEAK_FLOOR**2)
        partials, residual = (part / np.float32(np.sqrt(loudest)) for part in parts)
        return cls(hit[:, :start], partials, residual, peak, pitch_hz(hit, RATE))

    @property
    def balance(self) -> Audio:
        """How loud each channel is beside the mean of all, (channels, 1): a hit at one side is to stay there."""
        power = np.square(self.partials + self.residual, dtype=np.float64).sum(axis=1, keepdims=True)
        return np.asarray(np.sqrt(power / max(float(power.mean()), PEAK_FLOOR**2)), np.float32)

    def described(self) -> tuple[Array, Array]:
        """Return levels (BANDS,) in dB and decay times (BANDS,) in seconds, as `describe_bands` does."""
        frames = whole_frames(self.partials)
        return describe_bands(to_bands(power_of(self.partials, frames) + power_of(self.residual, frames)))


def whole_frames(audio: Audio) -> int:
    """Return how many frames of a shape audio (channels, frames) takes."""
    return -(-int(audio.shape[-1]) // HOP_FRAMES)


def power_of(audio: Audio, frames: int) -> Array:
    """Return the power (GROUPS, frames) of audio (channels, any number of frames), its mean over channels."""
    fitted = fit(audio, frames * HOP_FRAMES)
    return np.asarray(np.mean([audio_power(channel) for channel in fitted], axis=0))


def fit(audio: Audio, frames: int) -> Audio:
    """Return audio (channels, frames) cut or padded with silence to so many frames."""
    return np.pad(audio[:, :frames], ((0, 0), (0, max(0, frames - audio.shape[1]))))


def description_of(audio: Audio, frames: int) -> tuple[Array, Array]:
    """Return what `HitParts.described` does of the first `frames` of a hit (channels, any number)."""
    power = to_bands(power_of(mixdown(audio, 1)[:, :frames], frames // HOP_FRAMES))
    level, t60 = describe_bands(power)
    return level.reshape(BANDS), t60
