"""The diffusion's steps as parts of the graph: the shape model's and the sound model's."""

import torch
from torch import Tensor, nn

from ghostnote.models.diffusion.sampling import ddim_step, euler_step, inpaint, predict
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
        """Return z (batch, SHAPE_ROWS, ENVELOPE_FRAMES) at time `s` (1,) from z at time `t` (1,); see `inputs.Rows`."""
        embedded = self.network.embed(label, torch.zeros_like(label, dtype=torch.float32))
        v = self.network(z.index_select(0, source), t.expand(source.shape[0]), embedded)
        return ddim_step(z, predict(z, _guide(v, guidance, first, last), t), t, s)


class SoundStep(nn.Module):
    """One step of the sound model."""

    def __init__(self, model: Cascade) -> None:
        """Take the network from `model`."""
        super().__init__()
        self.network = model.sound
        self.stepper = EulerStep()

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
        conditioning: Tensor,
        reference_innovation: Tensor,
        mask: Tensor,
    ) -> Tensor:
        """Return z (batch, BANDS, MDCT_FRAMES) at time `s` (1,) from z at time `t` (1,); see `inputs.Rows` and `Prepare`."""
        v = self.network(z.index_select(0, source), t.expand(source.shape[0]), embedded, conditioning)
        stepped: Tensor = self.stepper(z, v, t, s, guidance, first, last, reference_innovation, mask)
        return stepped


class EulerStep(nn.Module):
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
        reference_innovation: Tensor,
        mask: Tensor,
    ) -> Tensor:
        """Return z (batch, BANDS, MDCT_FRAMES) at time `s` (1,) from z and `v` (rows, BANDS, MDCT_FRAMES) at time `t` (1,).

        The rest is nearly normal, for which a straight step is exact; what is known takes DDIM's, exact for that.
        """
        stepped = euler_step(z, _guide(v, guidance, first, last), t, s)
        return inpaint(stepped, ddim_step(z, reference_innovation, t, s), mask)


class UnguidedEulerStep(nn.Module):
    """`EulerStep` without guidance or mask."""

    def forward(self, z: Tensor, answer: Tensor, t: Tensor, s: Tensor) -> Tensor:
        """Return z (batch, BANDS, MDCT_FRAMES) at time `s` (1,) from z and the `answer` (the same) at time `t` (1,)."""
        return euler_step(z, answer, t, s)


def _guide(v: Tensor, guidance: Tensor, first: Tensor, last: Tensor) -> Tensor:
    unconditional = v.index_select(0, last)
    return unconditional + guidance * (v.index_select(0, first) - unconditional)
