"""Hits at a system's own rate, band-limited, by whole factors; and what it samples, at 44,100 Hz."""

import torch
import torch.nn.functional as F
from torch import Tensor

from ghostnote.bridge.dsp.onset import PEAK_FLOOR
from ghostnote.bridge.errors import InputError
from ghostnote.models.dsp.mdct import HIT_FRAMES, PEAK, to_peak
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


def continue_hit(system: System, start: Tensor, label: Tensor, generator: torch.Generator) -> Tensor:
    """Return a hit (1, HIT_FRAMES) that begins as `start` (1, frames), at 44,100 Hz, and goes on as new, as loud.

    `InputError` for a start as long as a hit, or of a system that makes hits as a whole.
    """
    factor = system.settings.decimation
    frames = start.shape[1] // factor * factor
    if not 0 < frames < HIT_FRAMES:
        raise InputError(f"a start of {start.shape[1]} frames leaves nothing of a hit's {HIT_FRAMES} to make: cut it")
    start = start[:, :frames]
    gain = PEAK / start.abs().max().clamp_min(PEAK_FLOOR)
    with torch.no_grad():
        whole = system.continue_hits(decimate(start * gain, factor), label, generator)
    return torch.cat([start, interpolate(whole, factor)[:, frames:] / gain], dim=1)
