"""Matching the cells of a stroke, its band groups in time segments, to a target power and sparsity.

Few diffusion steps, and mixing companded coefficients, bring a stroke's cells only near their targets: some dB off,
and with too many large coefficients among small ones. Here each cell gets its reference's power with the change that
was drawn for the stroke, and the target sparsity: the squared mean of |c| over the mean of c² (2/π for Gaussian c).
"""

import math
from functools import cache
from typing import Final

import torch
from torch import Tensor

from ghostnote.bridge.dsp.shape import BAND_EDGES
from ghostnote.models.dsp.decomposition import GROUPS, SEGMENT_EDGES, cell_db, cell_mean, segment_map, to_bands
from ghostnote.models.dsp.mdct import BANDS, MDCT_FRAMES

_ROUNDS: Final = 2
_DB: Final = math.log(10) / 20
_LARGEST_CHANGE_DB: Final = 9.0
"""In a round."""
_LOW_GROUPS, _LARGEST_LOW_CHANGE_DB = 3, 3.0
"""The same in the first groups. More would pump: in short cells of what is low, power depends on its phase."""
_EXPONENTS: Final = (0.5, 1.6)
_SPARSITY: Final = (0.15, 0.9)
SPARSITY_LOG: Final = (math.log(_SPARSITY[0]), math.log(_SPARSITY[1]))
"""The least and largest log sparsity."""
_STEEPEST: Final = -0.05
_SMALLEST: Final = 1e-4


def cell_targets(reference: Tensor) -> tuple[Tensor, Tensor]:
    """Return the power and sparsity of the cells of a `reference` (batch, BANDS, MDCT_FRAMES), for `match_cells`.

    The power is in dB, (batch, GROUPS, SEGMENTS); the sparsity is its log, (batch, GROUPS, SPANS).
    """
    sizes = _sizes(reference)
    sparsity = _cell_mean(sizes).square() / _cell_mean(sizes.square())
    return cell_db(reference), sparsity.clamp(*_SPARSITY).log()


def match_cells(c: Tensor, target_db: Tensor, sparsity: Tensor, share: Tensor) -> Tensor:
    """Return coefficients `c` (batch, BANDS, MDCT_FRAMES) with cells of the power `target_db` and log `sparsity`.

    Both are shaped as `cell_targets` gives them. `share`, which broadcasts to `c`, is how far: 1 fully, 0 not at all.
    """
    gain, largest_db = _sparsity_gain(c, sparsity), _largest_changes_db(c.device)
    for _ in range(_ROUNDS):
        lacking = torch.clamp(target_db - cell_db(c * gain), -largest_db, largest_db)
        gain = gain * _between_cells(lacking * _DB).exp()
    return c * (1 + share * (gain - 1))


def _sparsity_gain(c: Tensor, sparsity: Tensor) -> Tensor:
    """Return the gains (batch, BANDS, MDCT_FRAMES) that give cells the `sparsity`: |c|^(e − 1), e by Newton from 1."""
    sizes = _sizes(c)
    logs, exponent = sizes.log(), torch.ones_like(sparsity)
    for i in range(_ROUNDS):
        powered = (logs * _to_cells(exponent)).exp() if i else sizes
        square = powered.square()
        first, second = _cell_mean(powered), _cell_mean(square)
        slope = 2 * (_cell_mean(powered * logs) / first - _cell_mean(square * logs) / second)
        off = sparsity - (first.square() / second).clamp(*_SPARSITY).log()
        exponent = (exponent + off / slope.clamp(max=_STEEPEST)).clamp(*_EXPONENTS)
    return (logs * _to_cells(exponent - 1)).exp()


def _sizes(c: Tensor) -> Tensor:
    """Return |c| relative to the level of its cells, interpolated between their centres; never 0.

    Relative to one level for a whole cell, a decay within it would count as sparsity and be bent into steps.
    """
    return c.abs() * _between_cells(-_DB * cell_db(c)).exp() + _SMALLEST


@cache
def _largest_changes_db(device: torch.device) -> Tensor:
    """Return by how much the cells of each group may change in a round, (GROUPS, 1)."""
    changes_db = torch.full((GROUPS, 1), _LARGEST_CHANGE_DB, device=device)
    changes_db[:_LOW_GROUPS] = _LARGEST_LOW_CHANGE_DB
    return changes_db


@cache
def _spans(device: torch.device) -> Tensor:
    """Return the membership of MDCT frames in the time segments for sparsity, (SPANS, MDCT_FRAMES)."""
    segments = segment_map(device)
    return torch.cat([segments[:1] + segments[1:2], segments[2:]])


def _cell_mean(x: Tensor) -> Tensor:
    return cell_mean(x, _spans(x.device))


def _to_cells(cells: Tensor) -> Tensor:
    return to_bands(cells) @ _spans(cells.device)


def _between_cells(cells: Tensor) -> Tensor:
    """Interpolate (batch, GROUPS, SEGMENTS) linearly between the cells' centres, (batch, BANDS, MDCT_FRAMES)."""
    bands, frames = _interpolation(BAND_EDGES, BANDS), _interpolation(SEGMENT_EDGES, MDCT_FRAMES)
    return bands.to(cells.device).t() @ cells @ frames.to(cells.device)


@cache
def _interpolation(edges: tuple[int, ...], places: int) -> Tensor:
    """Return the weights (cells, places) of linear interpolation between the centres of cells."""
    starts = torch.tensor(edges, dtype=torch.float32)
    centres = (starts[1:] + starts[:-1]) / 2
    place = torch.arange(places) + 0.5
    right = torch.searchsorted(centres, place).clamp(1, len(centres) - 1)
    share = ((place - centres[right - 1]) / (centres[right] - centres[right - 1])).clamp(0, 1)
    weights = torch.zeros(len(centres), places)
    weights[right - 1, torch.arange(places)] = 1 - share
    weights[right, torch.arange(places)] += share
    return weights
