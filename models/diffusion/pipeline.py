"""From a reference hit or from nothing to a new hit: the parts that the exported graph is made of.

`ShapeStep` and `SoundStep` run once for each interval of their schedules, `ReferenceEncoder` once for a reference, the
others once for a hit. `render` is the whole in torch, and what the exported graph must agree with.
"""

import math
from contextlib import nullcontext
from itertools import pairwise

import torch
from torch import Tensor, nn

from ghostnote.models.diffusion.inputs import Inputs, lay_out
from ghostnote.models.diffusion.reference_encoder import ReferenceEncoder, SplitReferenceFeatures
from ghostnote.models.diffusion.sampling import inpaint
from ghostnote.models.diffusion.steps import ShapeStep, SoundStep
from ghostnote.models.diffusion.v_prediction import t_to_alpha_sigma
from ghostnote.models.diffusion.values import (
    Coefficients,
    Conditions,
    DrawnStroke,
    Flag,
    Predictor,
    ReferenceFeatures,
    Rows,
    Shape,
    Time,
)
from ghostnote.models.dsp.cell_matching import match_cells
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
    without_edges,
)
from ghostnote.models.dsp.mdct import PEAK, expand, inverse_mdct
from ghostnote.models.dsp.noise_shaping import from_lines
from ghostnote.models.nets.cascade import DIFFERENCE_LIMIT_DB, VELOCITY_UNIT_DB, Cascade, predictor_of
from ghostnote.models.nets.precision import autocast

_NEPER_DB = 20 / math.log(10)


class DrawStroke(nn.Module):
    """Draws how a stroke differs from its reference, by its latent, its noise and its velocity."""

    def __init__(self, model: Cascade) -> None:
        """Take the statistics from `model`."""
        super().__init__()
        self.model = model

    def forward(self, inputs: Inputs, features: ReferenceFeatures, given: Shape) -> DrawnStroke:
        """Return the stroke; `given` is its shape, or with a reference what is added to that one's."""
        has_hit, latent = inputs.has_hit[:, None, None], inputs.variation_latent
        change = self.model.envelope_change(inputs.label, _limited_velocity(inputs))
        added = given[:, :GROUPS] + has_hit * change
        log_envelope = added + has_hit * features.envelope
        return DrawnStroke(
            shape_made=torch.cat([log_envelope, given[:, GROUPS:]], dim=1),
            stroke_coherence=self._coherence(inputs, features),
            stroke_noise=from_lines(inputs.noise, features.spectral_gain),
            target_db=features.cells_db + self._change_db(inputs, features, added),
            target_sparsity=self.model.sparsity_of(features.sparsity, latent, inputs.amount * inputs.calibration),
            gate=noise_floor_gate(torch.where(has_hit > 0, features.envelope, log_envelope)),
        )

    def _coherence(self, inputs: Inputs, features: ReferenceFeatures) -> Tensor:
        offset = self.model.offset_coherence(features.reference_coherence, inputs.variation_latent)
        return inputs.coherence * self.model.attenuate_coherence(offset, _limited_velocity(inputs))

    def _change_db(self, inputs: Inputs, features: ReferenceFeatures, added: Tensor) -> Tensor:
        """Return the change of the cells' power: the stroke's own deviation, and what is `added` to its envelope."""
        extent = (inputs.amount * inputs.calibration)[:, None, None]
        deviation_db = extent * self.model.deviation_db_of(inputs.variation_latent, features.spectral_deviation_db)
        return deviation_db + envelope_to_segments(added / group_exponents(added.device)[:, None]) * _NEPER_DB


class ChoosePredictor(nn.Module):
    """`predictor_of`: the reference, or the tone of a new sound."""

    def forward(self, inputs: Inputs, features: ReferenceFeatures, stroke: DrawnStroke) -> Predictor:
        """Return the predictor of each hit."""
        return Predictor(*predictor_of(features.reference, stroke.shape_made, stroke.stroke_coherence, inputs.has_hit))


class ReferencePredictor(nn.Module):
    """`ChoosePredictor` where every hit has a reference."""

    def forward(self, features: ReferenceFeatures, stroke: DrawnStroke) -> Predictor:
        """Return the reference as predictor."""
        return Predictor(features.reference + 0.0, table_to_frames(stroke.stroke_coherence))


class ConditionNetwork(nn.Module):
    """What the sound network is given and does not change from step to step."""

    def __init__(self, model: Cascade) -> None:
        """Take the network's first layers from `model`."""
        super().__init__()
        self.model = model

    def forward(self, inputs: Inputs, rows: Rows, stroke: DrawnStroke, predictor: Predictor) -> Conditions:
        """Return the coherence of the bands, the embedding and the projected conditioning."""
        amount, calibration = inputs.amount[:, None, None], inputs.calibration[:, None, None]
        rho = to_bands(scale_coherence(predictor.rho_groups, amount, calibration))
        sound = self.model.sound
        conditioning = sound.project_conditioning(
            self.model.conditioning(predictor.r, stroke.shape_made, predictor.rho_groups, inputs.has_hit)
        )
        velocity = _limited_velocity(inputs) / VELOCITY_UNIT_DB
        embedded = sound.embed(rows.row_label, velocity.index_select(0, rows.source))
        return Conditions(rho, embedded, conditioning.index_select(0, rows.source))


class StartSample(nn.Module):
    """Where the sound model begins, and what it is given of the reference."""

    def __init__(self, model: Cascade) -> None:
        """Take the network's first layers from `model`."""
        super().__init__()
        self.model = model

    def forward(
        self, stroke: DrawnStroke, predictor: Predictor, mask: Coefficients, start: Time, rows: Rows
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the reference's own innovation, z at time `start`, and what the mask adds to the conditioning.

        The first two are (batch, BANDS, MDCT_FRAMES), the last is as `UNet.project_given` returns it, in rows.
        """
        r, s = predictor.r, scale(stroke.shape_made[:, :GROUPS])
        reference_innovation = innovation(r, r, s, to_bands(predictor.rho_groups))
        alpha, sigma = t_to_alpha_sigma(start)
        z = alpha * reference_innovation + sigma * stroke.stroke_noise
        given = self.model.sound.project_given(reference_innovation, mask).index_select(0, rows.source)
        return reference_innovation, z, given


class _Synthesis(nn.Module):
    """From the innovation to a waveform."""

    def fill(
        self, u: Tensor, is_diffused: Tensor, share: Tensor, stroke: DrawnStroke, predictor: Predictor, rho: Tensor
    ) -> Tensor:
        """Return the coefficients of innovation `u`; noise alone fills them if not `is_diffused`."""
        u = u.clamp(-INNOVATION_BOUND, INNOVATION_BOUND)
        # Strokes have no lines at the bands' edges: what rings there is in their partials.
        u = u + share * (without_edges(u) - u)
        u = torch.where(is_diffused, u, 0.0)
        s, gate = scale(stroke.shape_made[:, :GROUPS]), to_bands(to_frames(stroke.gate))
        return fill_energy(u, stroke.stroke_noise, predictor.r, s, rho, gate)

    def to_waveform(self, y: Tensor, share: Tensor, features: ReferenceFeatures, stroke: DrawnStroke) -> Tensor:
        """Return the hit (batch, HIT_FRAMES) at its reference's level, its cells matched as far as `share` says."""
        c = match_cells(expand(y), stroke.target_db, stroke.target_sparsity, share)
        return inverse_mdct(c) * (features.peak / PEAK)


class Synthesize(_Synthesis):
    """From the innovation to a waveform, with the reference's own innovation where the mask is 1."""

    def forward(
        self,
        u: Coefficients,
        is_diffused: Flag,
        inputs: Inputs,
        features: ReferenceFeatures,
        stroke: DrawnStroke,
        predictor: Predictor,
        rho: Coefficients,
        reference_innovation: Coefficients,
    ) -> Tensor:
        """Return the hit (batch, HIT_FRAMES)."""
        s, share = scale(stroke.shape_made[:, :GROUPS]), inputs.has_hit[:, None, None]
        y = self.fill(u, is_diffused, share, stroke, predictor, rho)
        y = inpaint(y, combine(reference_innovation, predictor.r, s, rho), inputs.mask)
        return self.to_waveform(y, share * (1 - inputs.mask), features, stroke)


class SynthesizeUnmasked(_Synthesis):
    """`Synthesize` without a mask."""

    def forward(
        self,
        u: Coefficients,
        is_diffused: Flag,
        inputs: Inputs,
        features: ReferenceFeatures,
        stroke: DrawnStroke,
        predictor: Predictor,
        rho: Coefficients,
    ) -> Tensor:
        """Return the hit (batch, HIT_FRAMES)."""
        share = inputs.has_hit[:, None, None]
        return self.to_waveform(self.fill(u, is_diffused, share, stroke, predictor, rho), share, features, stroke)


def _limited_velocity(inputs: Inputs) -> Tensor:
    return inputs.velocity.clamp(-DIFFERENCE_LIMIT_DB, DIFFERENCE_LIMIT_DB) * inputs.has_hit


@torch.no_grad()
def render(model: Cascade, inputs: Inputs) -> tuple[Tensor, Tensor]:
    """Return the hits (batch, HIT_FRAMES) that `inputs` decide, and their shapes."""
    return render_with_gradients(model, inputs)


def render_with_gradients(model: Cascade, inputs: Inputs, half: bool = False) -> tuple[Tensor, Tensor]:
    """Return what `render` does, with gradients in the statistics of `model` and the last step of its sound network.

    The network computes in bf16 if `half`, where the device can.
    """
    rows = lay_out(inputs.label, inputs.guidance)
    encoded = inputs.reference_features
    if not encoded.shape[1]:
        encoded = ReferenceEncoder(model)(inputs.hit, inputs.has_hit, inputs.label)
    features = SplitReferenceFeatures()(encoded)
    stroke = DrawStroke(model)(inputs, features, _draw_shape(model, inputs, rows))
    predictor = ChoosePredictor()(inputs, features, stroke)
    conditions = ConditionNetwork(model)(inputs, rows, stroke, predictor)
    step, mask = SoundStep(model), inputs.mask
    reference_innovation, z, given = StartSample(model)(stroke, predictor, mask, inputs.schedule[:1], rows)
    conditions = conditions._replace(conditioning=conditions.conditioning + given)
    for t, s in pairwise(inputs.schedule.split(1)):
        is_last = bool(s == inputs.schedule[-1])
        with torch.set_grad_enabled(is_last and torch.is_grad_enabled()), autocast(z.device) if half else nullcontext():
            z = step(z.detach(), t, s, inputs.guidance, rows, conditions, reference_innovation, mask).float()
    is_diffused = torch.tensor([len(inputs.schedule) > 1], device=z.device)
    parts = (inputs, features, stroke, predictor, conditions.rho)
    return Synthesize()(z, is_diffused, *parts, reference_innovation), stroke.shape_made


def _draw_shape(model: Cascade, inputs: Inputs, rows: Rows) -> Tensor:
    """Return the shape that `inputs` hold, or what the shape model makes of it as noise."""
    if len(inputs.shape_schedule) == 1:
        return inputs.shape
    step, z = ShapeStep(model), inputs.shape
    for t, s in pairwise(inputs.shape_schedule.split(1)):
        z = step(z, t, s, inputs.guidance, rows)
    return model.restore_shape(z, inputs.label)
