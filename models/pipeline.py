"""From a reference hit or from nothing to a new hit: the parts that the exported graph is made of.

`ShapeStep` runs once for each interval of the shape's schedule, `Prepare` once, `SoundStep` once for each
interval of the sound's schedule and `Finish` once. `render` is the whole in torch, and what the exported graph
must agree with.
"""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from ghostnote.models.cascade import DIFFERENCE_LIMIT_DB, VELOCITY_UNIT_DB, Cascade, reference_of
from ghostnote.models.colour import colour_of, coloured, line_power
from ghostnote.models.diffusion import t_to_alpha_sigma
from ghostnote.models.factors import (
    GROUPS,
    REST_BOUND,
    at_amount,
    combine,
    envelope,
    envelope_to_segments,
    fill_up,
    group_exponents,
    rest,
    scale,
    sounding,
    to_bands,
    to_steps,
)
from ghostnote.models.inputs import Inputs, lay_out
from ghostnote.models.lapped import PEAK, analyse, expand, inverse_mdct
from ghostnote.models.matching import matched
from ghostnote.models.sampling import ddim_step, keep, predict, straight_step
from ghostnote.models.steadiness import traits_of

_SILENCE = 1e-6
_NEPER_DB = 20 / math.log(10)


class ShapeStep(nn.Module):
    """One step of the shape model."""

    def __init__(self, model: Cascade) -> None:
        """Take the network from `model`."""
        super().__init__()
        self.network = model.shape

    def forward(
        self,
        z: Tensor,
        t: Tensor,
        s: Tensor,
        guidance: Tensor,
        source: Tensor,
        label: Tensor,
        first: Tensor,
        last: Tensor,
    ) -> Tensor:
        """Return z (batch, SHAPE_ROWS, ENVELOPE_STEPS) at time `s` (1,) from z at time `t` (1,); see `inputs.Rows`."""
        embedded = self.network.embed(label, torch.zeros_like(label, dtype=torch.float32))
        v = self.network(z.index_select(0, source), t.expand(source.shape[0]), embedded)
        return ddim_step(z, predict(z, _guide(v, guidance, first, last), t), t, s)


class SoundStep(nn.Module):
    """One step of the sound model."""

    def __init__(self, model: Cascade) -> None:
        """Take the network from `model`."""
        super().__init__()
        self.network = model.sound

    def forward(
        self,
        z: Tensor,
        t: Tensor,
        s: Tensor,
        guidance: Tensor,
        source: Tensor,
        first: Tensor,
        last: Tensor,
        embedded: Tensor,
        hint: Tensor,
        known: Tensor,
        mask: Tensor,
    ) -> Tensor:
        """Return z (batch, BANDS, STEPS) at time `s` (1,) from z at time `t` (1,); see `inputs.Rows` and `Prepare`.

        The rest is nearly normal, for which a straight step is exact; what is known takes DDIM's, exact for that.
        """
        v = self.network(z.index_select(0, source), t.expand(source.shape[0]), embedded, hint)
        walked = straight_step(z, _guide(v, guidance, first, last), t, s)
        return keep(walked, ddim_step(z, known, t, s), mask)


def _guide(v: Tensor, guidance: Tensor, first: Tensor, last: Tensor) -> Tensor:
    unconditional = v.index_select(0, last)
    return unconditional + guidance * (v.index_select(0, first) - unconditional)


class Prepare(nn.Module):
    """Everything that does not change from step to step."""

    def __init__(self, model: Cascade) -> None:
        """Take tables and the network's first layers from `model`."""
        super().__init__()
        self.model = model

    def forward(
        self,
        hit: Tensor,
        has_hit: Tensor,
        shaped: Tensor,
        given: Tensor,
        is_shaped: Tensor,
        coherence: Tensor,
        label: Tensor,
        velocity: Tensor,
        noise: Tensor,
        wander: Tensor,
        amount: Tensor,
        start: Tensor,
        source: Tensor,
        row_label: Tensor,
    ) -> tuple[Tensor, ...]:
        """Return peak, r, shape, rho, known rest, coloured noise, change of the cells in dB, what sounds at all,
        z at time `start` (1,), embedding and projected hint.

        `shaped` is what the shape model made; it counts where `is_shaped` (1,) is true, and else `given`.
        """
        velocity = velocity.clamp(-DIFFERENCE_LIMIT_DB, DIFFERENCE_LIMIT_DB) * has_hit
        peak = torch.where(has_hit > 0, hit.abs().amax(1).clamp_min(_SILENCE), PEAK)[:, None]
        r = analyse(hit / peak * PEAK)
        shape = torch.where(is_shaped, self.model.restore_shape(shaped, label), given)
        own = envelope(r)
        added = shape[:, :GROUPS] + has_hit[:, None, None] * self.model.envelope_change(label, velocity)
        log_envelope = added + has_hit[:, None, None] * own
        shape = torch.cat([log_envelope, shape[:, GROUPS:]], dim=1)
        q = r / scale(own)
        steady, strayed_db = self.model.steadiness_of(traits_of(q, own, label), velocity)
        noise = coloured(noise, colour_of(line_power(q), has_hit))
        wandered = amount[:, None, None] * self.model.wander_db(wander, strayed_db)
        change_db = wandered + envelope_to_segments(added / group_exponents(r.device)[:, None]) * _NEPER_DB
        r, rho_groups = reference_of(r, shape, coherence * steady, has_hit)
        heard = sounding(torch.where(has_hit[:, None, None] > 0, own, log_envelope))
        known = rest(r, r, scale(log_envelope), to_bands(rho_groups))
        rho = to_bands(at_amount(rho_groups, amount[:, None, None]))
        alpha, sigma = t_to_alpha_sigma(start)
        hint = self.model.hint(r, shape, rho_groups, has_hit).index_select(0, source)
        sound = self.model.sound
        embedded = sound.embed(row_label, velocity.index_select(0, source) / VELOCITY_UNIT_DB)
        z = alpha * known + sigma * noise
        return peak, r, shape, rho, known, noise, change_db, heard, z, embedded, sound.project_hint(hint)


class Finish(nn.Module):
    """From the rest to a waveform."""

    def forward(
        self,
        u: Tensor,
        is_diffused: Tensor,
        noise: Tensor,
        known: Tensor,
        mask: Tensor,
        r: Tensor,
        shape: Tensor,
        rho: Tensor,
        change_db: Tensor,
        heard: Tensor,
        has_hit: Tensor,
        peak: Tensor,
    ) -> Tensor:
        """Return the hit (batch, FRAMES), at its reference's level; noise alone fills it if not `is_diffused` (1,)."""
        u = torch.where(is_diffused, u.clamp(-REST_BOUND, REST_BOUND), torch.zeros_like(u))
        factors = (r, scale(shape[:, :GROUPS]), rho)
        filled = to_bands(to_steps(heard)) * fill_up(u, noise, *factors)
        c, reference = expand(combine(keep(filled, known, mask), *factors)), expand(r)
        share = has_hit[:, None, None] * (1 - mask)
        return inverse_mdct(matched(c, reference, change_db, share)) * peak / PEAK


@torch.no_grad()
def render(model: Cascade, inputs: Inputs) -> tuple[Tensor, Tensor]:
    """Return the hits (batch, FRAMES) that `inputs` decide, and their shapes."""
    i = inputs
    rows = lay_out(i.label, i.guidance)
    layout = (i.guidance, rows.source)
    shape_step, sound_step = ShapeStep(model), SoundStep(model)
    shaped = i.shape
    for t, s in pairwise(i.shape_schedule.split(1)):
        shaped = shape_step(shaped, t, s, *layout, rows.label, rows.first, rows.last)
    peak, r, shape, rho, known, noise, change_db, heard, z, embedded, hint = Prepare(model)(
        i.hit,
        i.has_hit,
        shaped,
        i.shape,
        torch.tensor([len(i.shape_schedule) > 1], device=i.hit.device),
        i.coherence,
        i.label,
        i.velocity,
        i.noise,
        i.wander,
        i.amount,
        i.schedule[:1],
        rows.source,
        rows.label,
    )
    is_diffused = torch.tensor([len(i.schedule) > 1], device=i.hit.device)
    for t, s in pairwise(i.schedule.split(1)):
        z = sound_step(z, t, s, *layout, rows.first, rows.last, embedded, hint, known, i.mask)
    factors = (r, shape, rho, change_db, heard, i.has_hit, peak)
    return Finish()(z, is_diffused, noise, known, i.mask, *factors), shape
