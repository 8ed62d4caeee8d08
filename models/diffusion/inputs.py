"""The inputs that decide a batch of hits, and how the batch is laid out for the networks."""

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor

from ghostnote.models.diffusion.values import (
    Cells,
    Coefficients,
    Label,
    Latent,
    PerHit,
    Rows,
    Scalar,
    Shape,
    TensorSpec,
    Waveform,
    tensor_specs,
)
from ghostnote.models.nets.cascade import ANY_CLASS


@dataclass(frozen=True)
class Inputs:
    """Everything that decides a batch of hits; the graph's inputs by name."""

    hit: Waveform
    """The reference, at any level."""
    reference_features: Annotated[Tensor, TensorSpec(("batch", "n_features"))]
    """What `ReferenceEncoder` returned for the reference, which then stands for `hit`; (batch, 0) to encode `hit`."""
    has_hit: PerHit
    """1 with a reference, 0 without."""
    shape: Shape
    """Log envelope and tone; with a reference, what is added to its log envelope. Noise, where the shape's schedule
    has steps and the shape model generates it."""
    shape_schedule: Annotated[Tensor, TensorSpec(("shape_times",))]
    """Times of the shape model; one time alone takes `shape` as it is."""
    coherence: Cells
    """Factor on the coherence of such a drum's strokes; 1 is as measured."""
    amount: PerHit
    """0 returns the reference, 1 varies as real strokes do, 2 more."""
    calibration: PerHit
    """By how much a class varies more or less than was measured of the corpus, at amount 1."""
    label: Label
    """The drum's class."""
    velocity: PerHit
    """Level of the stroke above the reference in dB. It moves the timbre; the level stays."""
    noise: Coefficients
    """White: the lines of each band's spectrum, which a reference's gain shapes; see `noise_shaping.from_lines`."""
    variation_latent: Latent
    """Normal numbers that decide how a stroke deviates from its reference, apart from its noise."""
    schedule: Annotated[Tensor, TensorSpec(("times",))]
    """Times from the start down to 0; one time alone does without the network."""
    mask: Coefficients
    """1 where the reference's own innovation is kept."""
    guidance: Scalar
    """Classifier-free guidance; 1 is none, and costs half."""


_ONES = ("shape_schedule", "coherence", "amount", "calibration", "schedule", "guidance")


def blank_inputs(batch: int, device: torch.device | None = None) -> Inputs:
    """Return inputs for `batch` hits without reference, mask, guidance or steps."""
    sizes = {"batch": batch, "n_features": 0, "shape_times": 1, "times": 1}
    values = {
        name: torch.full(
            [sizes[axis] if isinstance(axis, str) else axis for axis in spec.axes],
            ANY_CLASS if name == "label" else int(name in _ONES),
            dtype=spec.dtype,
            device=device,
        )
        for name, spec in tensor_specs(Inputs).items()
    }
    return Inputs(**values)


def lay_out(label: Tensor, guidance: Tensor) -> Rows:
    """Return the rows of a batch of classes `label` (batch,)."""
    batch = len(label)
    count = batch if float(guidance) == 1 else 2 * batch
    row = torch.arange(count, device=label.device)
    source = row % batch
    row_label = torch.where(row >= batch, torch.full_like(row, ANY_CLASS), label[source])
    return Rows(source, row_label, row[:batch], row[count - batch :])
