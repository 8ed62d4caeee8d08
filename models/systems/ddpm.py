"""DDPM on the waveform (Ho, Jain & Abbeel 2020)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ghostnote.models.diffusion.gaussian import GaussianDiffusion
from ghostnote.models.diffusion.v_prediction import Target
from ghostnote.models.systems.waveform_diffusion import WaveformDiffusion, WaveformSettings


@dataclass(frozen=True)
class DdpmSettings(WaveformSettings):
    """The chain of noise levels beside the network."""

    length: int = 1000
    """Levels of noise."""
    steps: int = 100
    """Of these, so many are sampled, evenly spaced; all 1,000 take ten times as long."""
    eta: float = 1.0
    """1 is ancestral sampling, 0 DDIM."""


class Ddpm(WaveformDiffusion):
    """The linear-β chain with the U-Net of `waveform`, at 22,050 Hz: 0.9 million parameters, 0.53 GFLOP a step."""

    title = "DDPM"
    paper = "Ho, Jain & Abbeel 2020"
    target: ClassVar[Target] = "eps"
    Settings = DdpmSettings
    settings: DdpmSettings

    def __init__(self, settings: DdpmSettings) -> None:
        """Build the network and the chain."""
        super().__init__(settings)
        self.diffusion = GaussianDiffusion(settings.length)

    def loss(self, audio: Tensor, label: Tensor, generator: torch.Generator) -> Tensor:
        """Return the mean squared error of ε, ()."""
        return self.diffusion.loss(lambda z, t: self.predict(z, t, label), self.to_sample(audio), generator)

    def sample(self, label: Tensor, generator: torch.Generator, steps: int | None = None) -> Tensor:
        """Return new hits (batch, frames), down `steps` of the levels."""
        z = self.noise(label, generator)
        x = self.diffusion.sample(
            lambda z, t: self.predict(z, t, label),
            z,
            steps or self.settings.steps,
            eta=self.settings.eta,
            bound=self.bound,
            generator=generator,
        )
        return self.to_audio(x)
