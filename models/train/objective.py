"""What training minimises: the weighted v-loss of both networks."""

import torch
from torch import Tensor, nn

from ghostnote.models.diffusion.v_prediction import add_noise, to_v
from ghostnote.models.dsp.noise_shaping import shape_noise
from ghostnote.models.nets.cascade import Cascade
from ghostnote.models.nets.unet import UNet
from ghostnote.models.train.batch import Batch


class Objective(nn.Module):
    """The loss as a module, so that it can be compiled and spread over devices."""

    def __init__(self, model: Cascade) -> None:
        """Train both networks of `model`."""
        super().__init__()
        self.model = model

    def forward(self, batch: Batch, t: Tensor, noise: Tensor, shape_noise: Tensor) -> Tensor:
        """Return the losses of sound and shape (2,) at times `t` (batch,)."""
        sound, shape = self.model.sound, self.model.shape
        embedded = sound.embed(batch.label, batch.difference)
        conditioning = sound.project_conditioning(batch.conditioning)
        conditioning = conditioning + sound.project_given(batch.innovation, batch.mask)
        v = sound(add_noise(batch.innovation, noise, t), t, embedded, conditioning).float()
        sound_loss = (batch.weight * (v - to_v(batch.innovation, noise, t)).square()).mean()
        return torch.stack([sound_loss, shape_loss(shape, batch, t, shape_noise)])


def shape_loss(shape: UNet, batch: Batch, t: Tensor, noise: Tensor) -> Tensor:
    """Return the loss () of the `shape` network at times `t` (batch,) for `noise` shaped as `batch.shape`."""
    embedded = shape.embed(batch.label, torch.zeros_like(batch.difference))
    v = shape(add_noise(batch.shape, noise, t), t, embedded).float()
    errors = (v - to_v(batch.shape, noise, t)).square().mean((1, 2))
    loss: Tensor = (batch.shape_weight * errors).sum() / batch.shape_weight.sum().clamp_min(1)
    return loss


def stratified_times(batch: Batch, generator: torch.Generator) -> Tensor:
    """Return times (batch,), one in each of as many even spans from 0 to 1."""
    size, device = len(batch.label), batch.label.device
    offsets = torch.rand(size, generator=generator, device=device)
    return (torch.randperm(size, generator=generator, device=device) + offsets) / size


def normal_like(tensor: Tensor, generator: torch.Generator) -> Tensor:
    """Return standard normal noise shaped as `tensor`, on its device."""
    return torch.randn(tensor.shape, generator=generator, device=tensor.device)


def noise_for(batch: Batch, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Return stratified times (batch,) and the noises for both networks."""
    t = stratified_times(batch, generator)
    noise = shape_noise(normal_like(batch.innovation, generator), batch.spectral_gain)
    return t, noise, normal_like(batch.shape, generator)
