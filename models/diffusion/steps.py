"""The diffusion's steps as parts of the graph: those of the shape model and of the sound model."""

from typing import Annotated

import torch
from torch import Tensor, nn

from ghostnote.models.diffusion.sampling import ddim_step, euler_step, inpaint, predict
from ghostnote.models.diffusion.values import Coefficients, Conditions, Label, Rows, Scalar, Shape, TensorSpec, Time
from ghostnote.models.dsp.mdct import BANDS, MDCT_FRAMES
from ghostnote.models.nets.cascade import Cascade

_RowCoefficients = Annotated[Tensor, TensorSpec(("rows", BANDS, MDCT_FRAMES))]


class ShapeStep(nn.Module):
    """One step of the shape model."""

    def __init__(self, model: Cascade) -> None:
        """Take the network from `model`."""
        super().__init__()
        self.network = model.shape

    def forward(self, z: Shape, t: Time, s: Time, guidance: Scalar, rows: Rows) -> Tensor:
        """Return z at time `s` from z at time `t`."""
        embedded = self.network.embed(rows.row_label, torch.zeros_like(rows.row_label, dtype=torch.float32))
        v = self.network(z.index_select(0, rows.source), t.expand(rows.source.shape[0]), embedded)
        return ddim_step(z, predict(z, _guide(v, guidance, rows), t), t, s)


class RestoreShape(nn.Module):
    """Undoes the normalisation of the shape model's sample."""

    def __init__(self, model: Cascade) -> None:
        """Take the statistics of shapes from `model`."""
        super().__init__()
        self.model = model

    def forward(self, shaped: Shape, label: Label) -> Tensor:
        """Return the shape (batch, SHAPE_ROWS, ENVELOPE_FRAMES) of drums of class `label`."""
        return self.model.restore_shape(shaped, label)


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
        rows: Rows,
        conditions: Conditions,
        reference_innovation: Tensor,
        mask: Tensor,
    ) -> Tensor:
        """Return z (batch, BANDS, MDCT_FRAMES) at time `s` (1,) from z at time `t` (1,)."""
        times = t.expand(rows.source.shape[0])
        v = self.network(z.index_select(0, rows.source), times, conditions.embedded, conditions.conditioning)
        stepped: Tensor = self.stepper(z, v, t, s, guidance, rows, reference_innovation, mask)
        return stepped


class EulerStep(nn.Module):
    """From the sound network's v to the next z."""

    def forward(
        self,
        z: Coefficients,
        v: _RowCoefficients,
        t: Time,
        s: Time,
        guidance: Scalar,
        rows: Rows,
        reference_innovation: Coefficients,
        mask: Coefficients,
    ) -> Tensor:
        """Return z at time `s` from z and `v` at time `t`.

        The innovation is nearly normal, for which Euler's step is exact; what is given takes DDIM's, exact for that.
        """
        stepped = euler_step(z, _guide(v, guidance, rows), t, s)
        return inpaint(stepped, ddim_step(z, reference_innovation, t, s), mask)


class UnguidedEulerStep(nn.Module):
    """`EulerStep` without guidance or mask."""

    def forward(self, z: Coefficients, v: Coefficients, t: Time, s: Time) -> Tensor:
        """Return z at time `s` from z and `v` at time `t`."""
        return euler_step(z, v, t, s)


def _guide(v: Tensor, guidance: Tensor, rows: Rows) -> Tensor:
    unconditional = v.index_select(0, rows.last)
    return unconditional + guidance * (v.index_select(0, rows.first) - unconditional)
