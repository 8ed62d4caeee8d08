"""From a reference hit or from nothing to a new hit: the parts that the exported graph is made of.

`ShapeStep` runs once for each interval of the shape's schedule, `SoundStep` once for each interval of the sound's,
`ReferenceEncoder` once for a reference, the others once for a hit. `render` is the whole in torch, and what the exported
graph must agree with. A part whose name begins with `Plain` does less work where less is asked for.
"""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from ghostnote.models.diffusion.inputs import Inputs, lay_out
from ghostnote.models.diffusion.reference_encoder import ReferenceEncoder, SplitReferenceFeatures
from ghostnote.models.diffusion.sampling import inpaint
from ghostnote.models.diffusion.steps import ShapeStep, SoundStep
from ghostnote.models.diffusion.v_prediction import t_to_alpha_sigma
from ghostnote.models.dsp.cell_matching import matched
from ghostnote.models.dsp.decomposition import (
    GROUPS,
    INNOVATION_BOUND,
    combine,
    envelope_to_segments,
    fill_energy,
    group_exponents,
    innovation,
    noise_floor_gate,
    scale,
    scale_coherence,
    table_to_frames,
    to_bands,
    to_frames,
)
from ghostnote.models.dsp.mdct import PEAK, expand, inverse_mdct
from ghostnote.models.dsp.noise_shaping import from_lines
from ghostnote.models.nets.cascade import DIFFERENCE_LIMIT_DB, VELOCITY_UNIT_DB, Cascade, reference_of

_NEPER_DB = 20 / math.log(10)


class Restore(nn.Module):
    """The shape model's answer as a shape."""

    def __init__(self, model: Cascade) -> None:
        """Take the statistics of shapes from `model`."""
        super().__init__()
        self.model = model

    def forward(self, shaped: Tensor, label: Tensor) -> Tensor:
        """Return the shape (batch, SHAPE_ROWS, ENVELOPE_FRAMES) of a drum of class `label` (batch,)."""
        return self.model.restore_shape(shaped, label)


class Describe(nn.Module):
    """What is drawn for a stroke, before what it follows is known."""

    def __init__(self, model: Cascade) -> None:
        """Take tables from `model`."""
        super().__init__()
        self.model = model

    def forward(
        self,
        envelope: Tensor,
        spectral_gain: Tensor,
        reference_coherence: Tensor,
        spectral_deviation_db: Tensor,
        cells_db: Tensor,
        sparsity: Tensor,
        given: Tensor,
        coherence: Tensor,
        has_hit: Tensor,
        label: Tensor,
        velocity: Tensor,
        noise: Tensor,
        variation_latent: Tensor,
        amount: Tensor,
    ) -> tuple[Tensor, ...]:
        """Return shape, coherence (batch, GROUPS, SEGMENTS), coloured noise, the cells' wanted power in dB and
        peakedness, and what sounds at all (batch, GROUPS, ENVELOPE_FRAMES).
        """
        present = has_hit[:, None, None]
        velocity = _limited(velocity, has_hit)
        added = given[:, :GROUPS] + present * self.model.envelope_change(label, velocity)
        log_envelope = added + present * envelope
        shape = torch.cat([log_envelope, given[:, GROUPS:]], dim=1)
        gate = noise_floor_gate(torch.where(present > 0, envelope, log_envelope))
        deviation_db = amount[:, None, None] * self.model.deviation_db_of(
            variation_latent, spectral_deviation_db
        )
        change_db = (
            deviation_db + envelope_to_segments(added / group_exponents(added.device)[:, None]) * _NEPER_DB
        )
        shared = coherence * self.model.attenuate_coherence(
            self.model.offset_coherence(reference_coherence, variation_latent), velocity
        )
        target_sparsity = self.model.sparsity_of(sparsity, variation_latent, amount)
        return shape, shared, from_lines(noise, spectral_gain), cells_db + change_db, target_sparsity, gate


class Follow(nn.Module):
    """What a hit follows: `reference_of`."""

    def forward(self, r: Tensor, shape: Tensor, shared: Tensor, has_hit: Tensor) -> tuple[Tensor, Tensor]:
        """Return r (batch, BANDS, MDCT_FRAMES) and its coherence (batch, GROUPS, MDCT_FRAMES)."""
        return reference_of(r, shape, shared, has_hit)


class PlainFollow(nn.Module):
    """`Follow` where every hit has a reference."""

    def forward(self, r: Tensor, shared: Tensor) -> tuple[Tensor, Tensor]:
        """Return r (batch, BANDS, MDCT_FRAMES) and its coherence (batch, GROUPS, MDCT_FRAMES)."""
        return r + 0.0, table_to_frames(shared)


class Prepare(nn.Module):
    """What the network is given and does not change from step to step."""

    def __init__(self, model: Cascade) -> None:
        """Take the network's first layers from `model`."""
        super().__init__()
        self.model = model

    def forward(
        self,
        r: Tensor,
        shape: Tensor,
        rho_groups: Tensor,
        has_hit: Tensor,
        velocity: Tensor,
        amount: Tensor,
        source: Tensor,
        row_label: Tensor,
    ) -> tuple[Tensor, ...]:
        """Return the coherence of the bands (batch, BANDS, MDCT_FRAMES), embedding and projected hint."""
        rho = to_bands(scale_coherence(rho_groups, amount[:, None, None]))
        sound = self.model.sound
        conditioning = sound.project_conditioning(self.model.conditioning(r, shape, rho_groups, has_hit))
        velocity = _limited(velocity, has_hit) / VELOCITY_UNIT_DB
        embedded = sound.embed(row_label, velocity.index_select(0, source))
        return rho, embedded, conditioning.index_select(0, source)


class Start(nn.Module):
    """Where the sound model begins."""

    def forward(
        self, r: Tensor, shape: Tensor, rho_groups: Tensor, noise: Tensor, start: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the reference's own rest, and z at time `start` (1,), (batch, BANDS, MDCT_FRAMES) both."""
        reference_innovation = innovation(r, r, scale(shape[:, :GROUPS]), to_bands(rho_groups))
        alpha, sigma = t_to_alpha_sigma(start)
        return reference_innovation, alpha * reference_innovation + sigma * noise


class Finish(nn.Module):
    """From the rest to a waveform."""

    def __init__(self, plain: bool = False) -> None:
        """Ignore `reference_innovation` and `mask` if `plain`."""
        super().__init__()
        self.plain = plain

    def forward(
        self,
        u: Tensor,
        is_diffused: Tensor,
        noise: Tensor,
        reference_innovation: Tensor,
        mask: Tensor,
        r: Tensor,
        shape: Tensor,
        rho: Tensor,
        target_db: Tensor,
        target_sparsity: Tensor,
        gate: Tensor,
        has_hit: Tensor,
        peak: Tensor,
    ) -> Tensor:
        """Return the hit (batch, HIT_FRAMES), at its reference's level; noise alone fills it if not `is_diffused` (1,)."""
        u = torch.where(is_diffused, u.clamp(-INNOVATION_BOUND, INNOVATION_BOUND), 0.0)
        s, share = scale(shape[:, :GROUPS]), has_hit[:, None, None]
        y = fill_energy(u, noise, r, s, rho, to_bands(to_frames(gate)))
        if not self.plain:
            y, share = inpaint(y, combine(reference_innovation, r, s, rho), mask), share * (1 - mask)
        return inverse_mdct(matched(expand(y), target_db, target_sparsity, share)) * (peak / PEAK)


def _limited(velocity: Tensor, has_hit: Tensor) -> Tensor:
    return velocity.clamp(-DIFFERENCE_LIMIT_DB, DIFFERENCE_LIMIT_DB) * has_hit


@torch.no_grad()
def render(model: Cascade, inputs: Inputs) -> tuple[Tensor, Tensor]:
    """Return the hits (batch, HIT_FRAMES) that `inputs` decide, and their shapes."""
    return rendered(model, inputs)


def rendered(model: Cascade, inputs: Inputs, half: bool = False) -> tuple[Tensor, Tensor]:
    """Return what `render` does, with gradients in the tables of `model` and the last step of its sound network.

    The network computes in bf16 if `half`.
    """
    i = inputs
    rows = lay_out(i.label, i.guidance)
    layout = (i.guidance, rows.source)
    shape_step, sound_step = ShapeStep(model), SoundStep(model)
    shaped = i.shape
    for t, s in pairwise(i.shape_schedule.split(1)):
        shaped = shape_step(shaped, t, s, *layout, rows.label, rows.first, rows.last)
    given = Restore(model)(shaped, i.label) if len(i.shape_schedule) > 1 else i.shape
    reference_features = (
        i.reference_features
        if i.reference_features.shape[1]
        else ReferenceEncoder(model)(i.hit, i.has_hit, i.label)
    )
    peak, r, *parts = SplitReferenceFeatures()(reference_features)
    drawn = (i.coherence, i.has_hit, i.label, i.velocity, i.noise, i.variation_latent, i.amount)
    shape, shared, noise, target_db, target_sparsity, gate = Describe(model)(*parts, given, *drawn)
    r, rho_groups = Follow()(r, shape, shared, i.has_hit)
    rho, embedded, conditioning = Prepare(model)(
        r, shape, rho_groups, i.has_hit, i.velocity, i.amount, rows.source, rows.label
    )
    reference_innovation, z = Start()(r, shape, rho_groups, noise, i.schedule[:1])
    is_diffused = torch.tensor([len(i.schedule) > 1], device=i.hit.device)
    given_by_rows = (*layout, rows.first, rows.last, embedded, conditioning, reference_innovation, i.mask)
    for t, s in pairwise(i.schedule.split(1)):
        is_last = bool(s == i.schedule[-1])
        with (
            torch.set_grad_enabled(is_last and torch.is_grad_enabled()),
            torch.autocast(z.device.type, torch.bfloat16, enabled=half),
        ):
            z = sound_step(z.detach(), t, s, *given_by_rows).float()
    factors = (r, shape, rho, target_db, target_sparsity, gate, i.has_hit, peak)
    return Finish()(z, is_diffused, noise, reference_innovation, i.mask, *factors), shape
