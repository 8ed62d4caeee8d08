"""The diffusion's steps as parts of the graph: the shape model's and the sound model's."""

import torch
from torch import Tensor, nn

from ghostnote.models.diffusion.sampling import ddim_step, keep, predict, straight_step
from ghostnote.models.nets.cascade import Cascade


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
        self.walk = Walk()

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
        """Return z (batch, BANDS, STEPS) at time `s` (1,) from z at time `t` (1,); see `inputs.Rows` and `Prepare`."""
        v = self.network(z.index_select(0, source), t.expand(source.shape[0]), embedded, hint)
        walked: Tensor = self.walk(z, v, t, s, guidance, first, last, known, mask)
        return walked


class Walk(nn.Module):
    """From the sound network's answer to the next z."""

    def forward(
        self,
        z: Tensor,
        v: Tensor,
        t: Tensor,
        s: Tensor,
        guidance: Tensor,
        first: Tensor,
        last: Tensor,
        known: Tensor,
        mask: Tensor,
    ) -> Tensor:
        """Return z (batch, BANDS, STEPS) at time `s` (1,) from z and `v` (rows, BANDS, STEPS) at time `t` (1,).

        The rest is nearly normal, for which a straight step is exact; what is known takes DDIM's, exact for that.
        """
        walked = straight_step(z, _guide(v, guidance, first, last), t, s)
        return keep(walked, ddim_step(z, known, t, s), mask)


class PlainWalk(nn.Module):
    """`Walk` without guidance or mask."""

    def forward(self, z: Tensor, answer: Tensor, t: Tensor, s: Tensor) -> Tensor:
        """Return z (batch, BANDS, STEPS) at time `s` (1,) from z and the `answer` (the same) at time `t` (1,)."""
        return straight_step(z, answer, t, s)


def _guide(v: Tensor, guidance: Tensor, first: Tensor, last: Tensor) -> Tensor:
    unconditional = v.index_select(0, last)
    return unconditional + guidance * (v.index_select(0, first) - unconditional)
