"""What the systems that diffuse have in common: a network over noisy samples, their noise, and their way to audio."""

from abc import abstractmethod
from typing import ClassVar

import torch
from torch import Tensor

from ghostnote.models.diffusion.sampling import Velocity
from ghostnote.models.diffusion.v_prediction import Target, as_velocity
from ghostnote.models.systems.system import System


class DiffusionSystem(System):
    """A system that any sampler and solver can sample from."""

    target: ClassVar[Target]
    """What its network predicts."""

    @abstractmethod
    def predict(self, z: Tensor, t: Tensor, label: Tensor) -> Tensor:
        """Return what the network predicts of `z` (batch, …) at times `t` (batch,), of classes `label` (batch,)."""

    @abstractmethod
    def noise(self, label: Tensor, generator: torch.Generator) -> Tensor:
        """Return noise (batch, …) for a sample of each of the classes `label` (batch,)."""

    @abstractmethod
    def to_audio(self, x: Tensor) -> Tensor:
        """Return samples (batch, …) as hits (batch, frames)."""

    def velocity(self, label: Tensor) -> Velocity:
        """Return v of samples of the classes `label` (batch,)."""
        return as_velocity(lambda z, t: self.predict(z, t, label), self.target)
