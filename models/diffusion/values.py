"""The values that pass between the parts of the pipeline, each named and shaped once.

A value's type is `Annotated[Tensor, TensorSpec]`. From it the exported graph takes the names and shapes of its inputs,
and the examples on which its parts are traced.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, get_origin, get_type_hints

import torch
from torch import Tensor

from ghostnote.models.dsp.decomposition import ENVELOPE_FRAMES, GROUPS, SEGMENTS
from ghostnote.models.dsp.mdct import BANDS, HIT_FRAMES, MDCT_FRAMES
from ghostnote.models.dsp.noise_shaping import LINES
from ghostnote.models.nets.cascade import SHAPE_ROWS
from ghostnote.models.statistics.repeatability import LATENT_SIZE, SPANS


@dataclass(frozen=True)
class TensorSpec:
    """The shape and type of a tensor."""

    axes: tuple[str | int, ...]
    """Sizes, or names of sizes that vary."""
    dtype: torch.dtype = torch.float32


Waveform = Annotated[Tensor, TensorSpec(("batch", HIT_FRAMES))]
Coefficients = Annotated[Tensor, TensorSpec(("batch", BANDS, MDCT_FRAMES))]
Shape = Annotated[Tensor, TensorSpec(("batch", SHAPE_ROWS, ENVELOPE_FRAMES))]
Envelope = Annotated[Tensor, TensorSpec(("batch", GROUPS, ENVELOPE_FRAMES))]
Cells = Annotated[Tensor, TensorSpec(("batch", GROUPS, SEGMENTS))]
Sparsity = Annotated[Tensor, TensorSpec(("batch", GROUPS, SPANS))]
Latent = Annotated[Tensor, TensorSpec(("batch", LATENT_SIZE))]
PerHit = Annotated[Tensor, TensorSpec(("batch",))]
Label = Annotated[Tensor, TensorSpec(("batch",), torch.int64)]
RowIndex = Annotated[Tensor, TensorSpec(("rows",), torch.int64)]
Time = Annotated[Tensor, TensorSpec((1,))]
Flag = Annotated[Tensor, TensorSpec((1,), torch.bool)]
Scalar = Annotated[Tensor, TensorSpec(())]


def tensor_specs(holder: type | Callable[..., Any]) -> dict[str, TensorSpec]:
    """Return by name the specs of the fields of a class, or of a function's arguments and the fields of those."""
    found: dict[str, TensorSpec] = {}
    for name, hint in get_type_hints(holder, include_extras=True).items():
        if name != "return":
            found |= {name: hint.__metadata__[0]} if get_origin(hint) is Annotated else tensor_specs(hint)
    return found


class Rows(NamedTuple):
    """How a batch is laid out for the networks: once, or twice under guidance, then without class."""

    source: RowIndex
    """Which hit of the batch each row belongs to."""
    row_label: RowIndex
    """The row's class."""
    first: Label
    """The rows with their class."""
    last: Label
    """The rows without, or the same ones."""


class ReferenceFeatures(NamedTuple):
    """What all strokes of a reference have in common, whatever chance and velocity do."""

    peak: Annotated[Tensor, TensorSpec(("batch", 1))]
    reference: Coefficients
    """Companded, at the peak PEAK."""
    envelope: Envelope
    """Log envelope."""
    spectral_gain: Annotated[Tensor, TensorSpec(("batch", BANDS, LINES))]
    reference_coherence: Cells
    """The predicted coherence of such a drum's strokes."""
    spectral_deviation_db: Annotated[Tensor, TensorSpec(("batch", GROUPS))]
    """The predicted deviation of their spectra."""
    cells_db: Cells
    """The power of the reference's cells."""
    sparsity: Sparsity
    """The log sparsity of its cells."""


class DrawnStroke(NamedTuple):
    """What is drawn for a stroke before the network runs."""

    shape_made: Shape
    stroke_coherence: Cells
    """Coherence with the reference."""
    stroke_noise: Coefficients
    """Noise with the reference's spectral gain."""
    target_db: Cells
    """The power that its cells shall have."""
    target_sparsity: Sparsity
    gate: Envelope
    """The share of each cell that is above the noise floor."""


class Predictor(NamedTuple):
    """What a hit is predicted from: its reference, or the tone of its shape."""

    r: Coefficients
    rho_groups: Annotated[Tensor, TensorSpec(("batch", GROUPS, MDCT_FRAMES))]
    """Coherence of the hit with `r`."""


class Conditions(NamedTuple):
    """What does not change from step to step of the sound model."""

    rho: Coefficients
    """The coherence of each band with the predictor."""
    embedded: Tensor
    """(rows, width): class and velocity."""
    conditioning: Tensor
    """(rows, channels, MDCT_FRAMES): projected onto the network's first level."""
