"""What the systems have in common that diffuse with classifier-free guidance (Ho & Salimans 2022)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ghostnote.models.diffusion.sampling import Velocity, guided
from ghostnote.models.diffusion.solvers import denoised, solver_named
from ghostnote.models.diffusion.v_prediction import Target
from ghostnote.models.nets.cascade import ANY_CLASS
from ghostnote.models.systems.diffusion_system import DiffusionSystem
from ghostnote.models.systems.system import SystemSettings


@dataclass(frozen=True)
class GuidedSettings(SystemSettings):
    """How it is sampled."""

    steps: int = 24
    solver: str = "dpm++2m"
    """One of `SOLVERS`."""
    guidance: float = 1.5
    """How far v is pushed from that of any class towards that of the class asked for; 1 is not at all."""
    unlabelled: float = 0.1
    """Share of the training examples whose class is withheld."""


class GuidedDiffusion(DiffusionSystem):
    """A system that predicts v, trained with and without classes."""

    target: ClassVar[Target] = "v"
    settings: GuidedSettings

    def __init__(self, settings: GuidedSettings) -> None:
        """Check the solver; `InputError` for one that there is not."""
        solver_named(settings.solver)
        super().__init__(settings)

    def velocity(self, label: Tensor) -> Velocity:
        """Return the guided v of samples of the classes `label` (batch,)."""
        conditional = super().velocity(label)
        if self.settings.guidance == 1:
            return conditional
        return guided(conditional, super().velocity(torch.full_like(label, ANY_CLASS)), self.settings.guidance)

    def withhold(self, label: Tensor, generator: torch.Generator) -> Tensor:
        """Return the classes `label` (batch,), in training some of them as any class."""
        if not self.training:
            return label
        chance = torch.rand(label.shape, generator=generator, device=label.device)
        return label.masked_fill(chance < self.settings.unlabelled, ANY_CLASS)

    def denoise(self, z: Tensor, label: Tensor, generator: torch.Generator, steps: int | None) -> Tensor:
        """Return samples (batch, …) of the classes `label` (batch,) from the noise `z`."""
        return denoised(self.settings.solver, self.velocity(label), z, steps or self.settings.steps, generator)
