"""What training minimises: the weighted v-loss of both networks on augmented pairs."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ghostnote.models.data.augment import Augmentation, augment
from ghostnote.models.data.dataset import HitSet
from ghostnote.models.diffusion.v_prediction import add_noise, to_v
from ghostnote.models.dsp.decomposition import GROUPS, envelope, innovation, loss_weight, scale, to_bands
from ghostnote.models.dsp.mdct import analyse, to_peak
from ghostnote.models.dsp.noise_shaping import line_power, shape_noise
from ghostnote.models.nets.cascade import (
    ANY_CLASS,
    DIFFERENCE_LIMIT_DB,
    VELOCITY_UNIT_DB,
    Cascade,
    measure_shape,
    reference_of,
)
from ghostnote.models.nets.unet import UNet
from ghostnote.models.statistics.repeatability import repeatability_features

_LABEL_DROPOUT = 0.15


@dataclass(frozen=True)
class Batch:
    """Targets of both networks with their conditions; all tensors lead with the batch."""

    innovation: Tensor
    """(batch, BANDS, MDCT_FRAMES)."""
    weight: Tensor
    """(batch, BANDS, MDCT_FRAMES)."""
    conditioning: Tensor
    """(batch, hints, MDCT_FRAMES)."""
    shape: Tensor
    """(batch, SHAPE_ROWS, ENVELOPE_FRAMES), the normalised shape of the target."""
    label: Tensor
    """(batch,)."""
    difference: Tensor
    """(batch,), level of the target above the reference, in the networks' unit."""
    spectral_gain: Tensor
    """(batch, BANDS, LINES), of the noise."""

    def rows(self, index: slice) -> "Batch":
        """Return some of the rows."""
        return Batch(*(getattr(self, name)[index] for name in self.__dataclass_fields__))


@torch.no_grad()
def make_batch(
    model: Cascade,
    hits: HitSet,
    draw: tuple[Tensor, Tensor, Tensor],
    augmentation: Augmentation,
    generator: torch.Generator,
) -> Batch:
    """Return the factors of the drawn targets beside their references."""
    target, reference, paired = draw
    pair = torch.stack([hits.audio[target], hits.audio[reference]], dim=1)
    audio = to_peak(augment(pair, augmentation, generator))
    y, r = analyse(audio[:, 0]), analyse(audio[:, 1])
    label, has_hit = hits.labels[target], paired.float()
    limit = DIFFERENCE_LIMIT_DB
    difference_db = (hits.peak_db[target] - hits.peak_db[reference]).clamp(-limit, limit) * has_hit
    own = measure_shape(audio[:, 0], y)
    moved = envelope(r) + model.envelope_change(label, difference_db)
    log_envelope = torch.where(paired[:, None, None], moved, own[:, :GROUPS])
    shape = torch.cat([log_envelope, own[:, GROUPS:]], dim=1)
    power = line_power(r / scale(envelope(r)))
    coherence, _ = model.predict_repeatability(repeatability_features(power, envelope(r), label))
    spectral_gain = model.spectral_gain_of(power, has_hit)
    r, rho = reference_of(r, shape, model.attenuate_coherence(coherence, difference_db), has_hit)
    u = innovation(y, r, scale(log_envelope), to_bands(rho))
    return Batch(
        u,
        loss_weight(log_envelope),
        model.conditioning(r, shape, rho, has_hit),
        model.normalise_shape(own),
        dropped_labels(label, generator),
        difference_db / VELOCITY_UNIT_DB,
        spectral_gain,
    )


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
        v = sound(
            add_noise(batch.innovation, noise, t), t, embedded, sound.project_conditioning(batch.conditioning)
        ).float()
        sound_loss = (batch.weight * (v - to_v(batch.innovation, noise, t)).square()).mean()
        return torch.stack([sound_loss, v_loss(shape, batch, t, shape_noise)])


def v_loss(shape: UNet, batch: Batch, t: Tensor, noise: Tensor) -> Tensor:
    """Return the loss () of the `shape` network at times `t` (batch,) for `noise` shaped as `batch.shape`."""
    embedded = shape.embed(batch.label, torch.zeros_like(batch.difference))
    v = shape(add_noise(batch.shape, noise, t), t, embedded).float()
    loss: Tensor = (v - to_v(batch.shape, noise, t)).square().mean()
    return loss


def dropped_labels(label: Tensor, generator: torch.Generator) -> Tensor:
    """Return class labels (batch,) with some taken away, so that one network knows each class and all."""
    dropped = torch.rand(label.shape, generator=generator, device=label.device) < _LABEL_DROPOUT
    return label.masked_fill(dropped, ANY_CLASS)


def stratified_times(batch: Batch, generator: torch.Generator) -> Tensor:
    """Return times (batch,), one in each of as many even spans from 0 to 1."""
    size, device = len(batch.label), batch.label.device
    offsets = torch.rand(size, generator=generator, device=device)
    return (torch.randperm(size, generator=generator, device=device) + offsets) / size


def noise_for(batch: Batch, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Return stratified times (batch,) and the noises for both networks."""
    t = stratified_times(batch, generator)
    return (
        t,
        shape_noise(
            torch.randn(batch.innovation.shape, generator=generator, device=t.device), batch.spectral_gain
        ),
        torch.randn(batch.shape.shape, generator=generator, device=t.device),
    )
