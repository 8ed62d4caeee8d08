"""Diffusion on the waveform itself: what `ddpm` and `waveform` share."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ghostnote.models.dsp.mdct import PEAK
from ghostnote.models.nets.waveform_unet import WaveformUNet, WaveformUNetSettings
from ghostnote.models.systems.diffusion_system import DiffusionSystem
from ghostnote.models.systems.system import Stage, SystemSettings, Update


@dataclass(frozen=True)
class WaveformSettings(SystemSettings, WaveformUNetSettings):
    """A U-Net on waveforms, and how they are scaled."""

    decimation: int = 2
    """22,050 Hz: half the products of the full rate."""
    scale: float = 4.0
    """Brings hits, whose RMS is about 0.11 at full level, near the unit variance of the noise."""


class WaveformDiffusion(DiffusionSystem):
    """A U-Net on (batch, channels, frames). Mono hits are trained in all its channels, and leave as their mean."""

    Settings = WaveformSettings
    settings: WaveformSettings

    def __init__(self, settings: WaveformSettings) -> None:
        """Build the network."""
        super().__init__(settings)
        self.net = WaveformUNet(settings)

    @property
    def bound(self) -> float:
        """Return the largest value of a sample."""
        return PEAK * self.settings.scale

    def predict(self, z: Tensor, t: Tensor, label: Tensor) -> Tensor:
        """Return what the network predicts of `z` (batch, channels, frames) at `t` (batch,)."""
        predicted: Tensor = self.net(z, t, label)
        return predicted

    def noise(self, label: Tensor, generator: torch.Generator) -> Tensor:
        """Return noise (batch, channels, frames)."""
        shape = (len(label), self.settings.channels, self.frames)
        return torch.randn(shape, generator=generator, device=label.device)

    def to_sample(self, audio: Tensor) -> Tensor:
        """Return hits (batch, frames) or (batch, channels, frames) as the network takes them."""
        channels = audio[:, None] if audio.ndim == 2 else audio
        return self.settings.scale * channels.expand(-1, self.settings.channels, -1)

    def to_channels(self, x: Tensor) -> Tensor:
        """Return samples as audio (batch, channels, frames)."""
        return x / self.settings.scale

    def to_audio(self, x: Tensor) -> Tensor:
        """Return samples (batch, channels, frames) as mono hits (batch, frames)."""
        return self.to_channels(x).mean(1)

    def stages(self) -> Sequence[Stage]:
        """Return the one stage: one network, one loss."""
        return [Stage(1.0, [Update("net", list(self.net.parameters()), self.loss)])]

    @abstractmethod
    def loss(self, audio: Tensor, label: Tensor, generator: torch.Generator) -> Tensor:
        """Return the loss () of hits (batch, frames) or (batch, channels, frames) of the classes `label` (batch,)."""
