"""v-diffusion on the raw waveform with an attention U-Net, after tiny-audio-diffusion (Lee 2023; Schneider 2023)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ghostnote.models.diffusion.solvers import denoised, solver_named
from ghostnote.models.diffusion.v_prediction import Target, v_loss
from ghostnote.models.systems.waveform_diffusion import WaveformDiffusion, WaveformSettings


@dataclass(frozen=True)
class WaveformVSettings(WaveformSettings):
    """How it samples, beside the network."""

    steps: int = 50
    solver: str = "ddim"
    """One of `SOLVERS`."""


class Waveform(WaveformDiffusion):
    """A U-Net of 8 levels at 22,050 Hz: 0.9 million parameters, 0.53 GFLOP a step.

    The front ends "patch" and "transform" take as many products in 2.3 million parameters, at a lower rate and so in
    less time.
    """

    title = "waveform U-Net"
    paper = "Schneider 2023, Lee 2023"
    target: ClassVar[Target] = "v"
    Settings = WaveformVSettings
    settings: WaveformVSettings

    def __init__(self, settings: WaveformVSettings) -> None:
        """Build the network; `InputError` for a solver that there is not."""
        solver_named(settings.solver)
        super().__init__(settings)

    def loss(self, audio: Tensor, label: Tensor, generator: torch.Generator) -> Tensor:
        """Return the mean squared error of v, ()."""
        return v_loss(lambda z, t: self.predict(z, t, label), self.to_sample(audio), generator)

    def sample_channels(self, label: Tensor, generator: torch.Generator, steps: int | None = None) -> Tensor:
        """Return new hits (batch, channels, frames)."""
        z = self.noise(label, generator)
        x = denoised(self.settings.solver, self.velocity(label), z, steps or self.settings.steps, generator)
        return self.to_channels(x)

    def sample(self, label: Tensor, generator: torch.Generator, steps: int | None = None) -> Tensor:
        """Return new hits (batch, frames)."""
        return self.sample_channels(label, generator, steps).mean(1)
