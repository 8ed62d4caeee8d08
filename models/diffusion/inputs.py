"""What decides a batch of hits, and how the batch is laid out for the networks."""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from ghostnote.models.dsp.decomposition import ENVELOPE_FRAMES, GROUPS, SEGMENTS
from ghostnote.models.dsp.mdct import BANDS, HIT_FRAMES, MDCT_FRAMES
from ghostnote.models.nets.cascade import ANY_CLASS, SHAPE_ROWS
from ghostnote.models.statistics.repeatability import LATENT_SIZE


@dataclass(frozen=True)
class Inputs:
    """Everything that decides a batch of hits; the graph's inputs by name."""

    hit: Tensor
    """(batch, HIT_FRAMES): the reference, at any level."""
    reference_features: Tensor
    """(batch, REFERENCE_FEATURES): what `ReferenceEncoder` returned for the reference, which then
    stands for `hit`; (batch, 0) to encode `hit`."""
    has_hit: Tensor
    """(batch,): 1 with a reference, 0 without."""
    shape: Tensor
    """(batch, SHAPE_ROWS, ENVELOPE_FRAMES): log envelope and tone; with a reference, what is added to its log
    envelope. Noise, where the shape's schedule has steps and the shape model makes it."""
    shape_schedule: Tensor
    """(steps + 1,): times of the shape model; one time alone takes `shape` as it is."""
    coherence: Tensor
    """(batch, GROUPS, SEGMENTS): factor on the coherence of such a drum's strokes; 1 is as measured."""
    amount: Tensor
    """(batch,): 0 returns the reference, 1 varies as real strokes do, 2 more."""
    label: Tensor
    """(batch,): the drum's class."""
    velocity: Tensor
    """(batch,): level of the stroke above the reference in dB. It moves the timbre; the level stays."""
    noise: Tensor
    """(batch, BANDS, MDCT_FRAMES), white: the lines of each band's spectrum, see `noise_shaping.from_lines`. A reference colours
    it."""
    variation_latent: Tensor
    """(batch, LATENT_SIZE): normal numbers that decide how a stroke deviates from its
    reference beside its noise: see `repeatability.LATENT_SIZE`."""
    schedule: Tensor
    """(steps + 1,): times from the start down to 0; one time alone does without the network."""
    mask: Tensor
    """(batch, BANDS, MDCT_FRAMES): 1 where the reference's own rest is kept."""
    guidance: Tensor
    """(): classifier-free guidance; 1 is none, and costs half."""


def blank_inputs(batch: int, device: torch.device | None = None) -> Inputs:
    """Return inputs for `batch` hits without reference, mask, guidance or steps."""
    zeros, ones = partial(torch.zeros, device=device), partial(torch.ones, device=device)
    return Inputs(
        hit=zeros(batch, HIT_FRAMES),
        reference_features=zeros(batch, 0),
        has_hit=zeros(batch),
        shape=zeros(batch, SHAPE_ROWS, ENVELOPE_FRAMES),
        shape_schedule=ones(1),
        coherence=ones(batch, GROUPS, SEGMENTS),
        amount=ones(batch),
        label=torch.full((batch,), ANY_CLASS, device=device),
        velocity=zeros(batch),
        noise=zeros(batch, BANDS, MDCT_FRAMES),
        variation_latent=zeros(batch, LATENT_SIZE),
        schedule=ones(1),
        mask=zeros(batch, BANDS, MDCT_FRAMES),
        guidance=ones(()),
    )


@dataclass(frozen=True)
class Rows:
    """How a batch is laid out for the networks: once, or twice under guidance, then without class."""

    source: Tensor
    """(rows,): which hit of the batch each row is of."""
    label: Tensor
    """(rows,): the row's class."""
    first: Tensor
    """(batch,): the rows with their class."""
    last: Tensor
    """(batch,): the rows without, or the same ones."""


def lay_out(label: Tensor, guidance: Tensor) -> Rows:
    """Return the rows of a batch of classes `label` (batch,)."""
    batch = len(label)
    count = batch if float(guidance) == 1 else 2 * batch
    row = torch.arange(count, device=label.device)
    any_class = torch.full_like(row, ANY_CLASS)
    source = row % batch
    return Rows(
        source, torch.where(row >= batch, any_class, label[source]), row[:batch], row[count - batch :]
    )
