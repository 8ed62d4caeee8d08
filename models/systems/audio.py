"""Hits at a system's own rate, band-limited, by whole factors; and what it samples, at 44,100 Hz."""

import torch
import torch.nn.functional as F
from torch import Tensor

from ghostnote.models.dsp.mdct import to_peak
from ghostnote.models.systems.system import System


def decimate(audio: Tensor, factor: int) -> Tensor:
    """Return `audio` (batch, frames) at a rate `factor` times lower, without what lies above its Nyquist frequency."""
    if factor == 1:
        return audio
    frames = audio.shape[-1]
    spectrum = torch.fft.rfft(audio, 2 * frames)
    low: Tensor = torch.fft.irfft(spectrum[:, : frames // factor + 1] / factor, 2 * frames // factor)
    return low[:, : frames // factor]


def interpolate(audio: Tensor, factor: int) -> Tensor:
    """Undo `decimate`: return `audio` (batch, frames) at a rate `factor` times higher."""
    if factor == 1:
        return audio
    frames = audio.shape[-1]
    spectrum = F.pad(torch.fft.rfft(audio, 2 * frames), (0, frames * (factor - 1)))
    high: Tensor = torch.fft.irfft(spectrum * factor, 2 * frames * factor)
    return high[:, : frames * factor]


def sample_hits(system: System, label: Tensor, generator: torch.Generator, steps: int | None = None) -> Tensor:
    """Return new hits (batch, HIT_FRAMES) of the classes `label` (batch,) at full level, at 44,100 Hz."""
    with torch.no_grad():
        return to_peak(interpolate(system.sample(label, generator, steps), system.settings.decimation))
