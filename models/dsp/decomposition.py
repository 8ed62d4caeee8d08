"""A hit in three factors: its envelope, its coherence with a reference stroke, and the innovation.

For a hit y beside a reference r of the same drum, both companded MDCT coefficients:

    y = rho·r + S·sqrt(1 − rho²)·u

`S` is the scale that the envelope gives, `rho` the coherence of two strokes of such a drum, and `u` the innovation,
near unit variance by construction: all that a network has to generate. Without a reference rho is 0.
"""

from functools import cache
from itertools import pairwise
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from ghostnote.bridge.dsp.shape import BAND_EDGES
from ghostnote.models.dsp.mdct import MDCT_FRAMES, compand, compand_scale, exponents

SEGMENT_EDGES: Final = (0, 4, 8, 16, 32, 64, 128, 256, 512)
"""Edges of the time segments in MDCT frames, finer at the attack."""
FILL_EDGES: Final = (0, 32, 128, 512)
"""Edges of the time spans over which `fill_energy` measures a hit's power: long enough that chance averages out."""
GROUPS: Final = len(BAND_EDGES) - 1
SEGMENTS: Final = len(SEGMENT_EDGES) - 1
HOP: Final = 4
"""MDCT frames in one frame of the envelope."""
ENVELOPE_FRAMES: Final = MDCT_FRAMES // HOP
FLOOR: Final = 2.5e-5
"""The smallest scale of a coefficient, before companding: -92 dB."""
_EDGE_REACH: Final = 32
_QUIET: Final = 1e-9
_CELL_FLOOR: Final = 1e-9
_SILENCE: Final = 1e-20
_LEAST_COHERENCE: Final = 1e-3
INNOVATION_BOUND: Final = 6.0
"""The innovation is limited to this: larger values are outliers that expanding would blow up."""


@cache
def group_map(device: torch.device) -> Tensor:
    """Return the membership of MDCT bands in band groups, (GROUPS, BANDS)."""
    return _membership(BAND_EDGES).to(device)


@cache
def group_exponents(device: torch.device) -> Tensor:
    """Return the companding exponent of each band group, (GROUPS,)."""
    return exponents(device)[list(BAND_EDGES[:-1])]


@cache
def segment_map(device: torch.device) -> Tensor:
    """Return the membership of MDCT frames in time segments, (SEGMENTS, MDCT_FRAMES)."""
    return _membership(SEGMENT_EDGES).to(device)


@cache
def frame_map(device: torch.device) -> Tensor:
    """Return the linear interpolation from envelope frames to MDCT frames, (ENVELOPE_FRAMES, MDCT_FRAMES)."""
    eye = torch.eye(ENVELOPE_FRAMES)[:, None]
    return F.interpolate(eye, scale_factor=float(HOP), mode="linear")[:, 0].to(device)


def _membership(edges: tuple[int, ...]) -> Tensor:
    place = torch.arange(edges[-1])
    return torch.stack([(place >= a) & (place < b) for a, b in pairwise(edges)]).float()


def envelope(y: Tensor) -> Tensor:
    """Return the log RMS of coefficients (batch, BANDS, MDCT_FRAMES) as (batch, GROUPS, ENVELOPE_FRAMES)."""
    groups = group_map(y.device)
    power = (groups / groups.sum(1, keepdim=True)) @ y.square()
    floor = FLOOR ** (2 * group_exponents(y.device))[:, None]
    return 0.5 * (F.avg_pool1d(power, HOP) + floor).log()


def to_frames(log_envelope: Tensor) -> Tensor:
    """Interpolate (batch, GROUPS, ENVELOPE_FRAMES) to (batch, GROUPS, MDCT_FRAMES)."""
    return log_envelope @ frame_map(log_envelope.device)


def table_to_frames(table: Tensor) -> Tensor:
    """Spread a table (batch, GROUPS, SEGMENTS) over time, (batch, GROUPS, MDCT_FRAMES)."""
    return table @ segment_map(table.device)


def table_to_envelope(table: Tensor) -> Tensor:
    """Spread a table (batch, GROUPS, SEGMENTS) over the envelope's frames, (batch, GROUPS, ENVELOPE_FRAMES)."""
    return table @ segment_map(table.device)[:, ::HOP]


def envelope_to_segments(log_envelope: Tensor) -> Tensor:
    """Average (batch, GROUPS, ENVELOPE_FRAMES) over time segments, (batch, GROUPS, SEGMENTS)."""
    spans = segment_map(log_envelope.device)[:, ::HOP]
    return log_envelope @ (spans / spans.sum(1, keepdim=True)).t()


def to_bands(groups: Tensor) -> Tensor:
    """Repeat (batch, GROUPS, MDCT_FRAMES) for each band of its group, (batch, BANDS, MDCT_FRAMES)."""
    return group_map(groups.device).t() @ groups


def scale(log_envelope: Tensor) -> Tensor:
    """Return S (batch, BANDS, MDCT_FRAMES) of a log envelope (batch, GROUPS, ENVELOPE_FRAMES)."""
    return to_bands(to_frames(log_envelope).exp())


def noise_floor_gate(log_envelope: Tensor) -> Tensor:
    """Return the share (batch, GROUPS, ENVELOPE_FRAMES) of S that is above the floor: 0 where a hit is silent.

    `envelope` never falls below the floor, so that an innovation can be computed; what it adds there must be inaudible.
    """
    floor = FLOOR ** (2 * group_exponents(log_envelope.device))[:, None]
    return (1 - floor * (-2 * log_envelope).exp()).clamp_min(0).sqrt()


def loudness(log_envelope: Tensor) -> Tensor:
    """Return the scale (batch, BANDS, MDCT_FRAMES) with every band companded alike, by a square root."""
    alike = log_envelope * (0.5 / group_exponents(log_envelope.device))[:, None]
    return scale(alike)


def innovation_gain(rho: Tensor) -> Tensor:
    """Return the weight of the innovation, sqrt(1 − rho²)."""
    return (1 - rho.square()).sqrt()


def scale_coherence(rho: Tensor, amount: Tensor, calibration: Tensor) -> Tensor:
    """Return the coherence at an `amount`: 0 repeats the reference, 1 is that of real strokes, 2 less.

    That of real strokes is `rho` to the power of `calibration`.

    Up to 1 the angle whose cosine it is grows with the amount, so that the innovation does, whatever rho. Beyond, rho
    is taken to the power of the amount.
    """
    inside = (rho.clamp(_LEAST_COHERENCE, 1.0).log() * calibration).exp()
    # acos(x) for 0 <= x <= 1, as ONNX Runtime's is slow.
    angle = torch.atan2((1 - inside.square()).sqrt(), inside)
    nearer = (angle * amount.clamp(max=1.0)).cos()
    return torch.where(amount <= 1, nearer, (inside.log() * amount.clamp_min(1.0)).exp())


def innovation(y: Tensor, r: Tensor, s: Tensor, rho: Tensor) -> Tensor:
    """Return u of a hit `y` beside a reference `r`: what `combine` needs to give y back."""
    return ((y - rho * r) / (s * innovation_gain(rho))).clamp(-INNOVATION_BOUND, INNOVATION_BOUND)


@cache
def _edge_filter(device: torch.device) -> Tensor:
    """Return the filter of `without_edges` as a matrix, (MDCT_FRAMES, MDCT_FRAMES)."""
    frame = torch.arange(MDCT_FRAMES)
    near = ((frame[:, None] - frame).abs() <= _EDGE_REACH).float()
    mean = near / near.sum(0)
    sign = 1.0 - 2.0 * (frame % 2)
    return (torch.eye(MDCT_FRAMES) - mean - sign[:, None] * mean * sign).to(device)


def without_edges(u: Tensor) -> Tensor:
    """Return an innovation (batch, BANDS, MDCT_FRAMES) without lines at the edges of its bands.

    An offset of a band, or one whose sign alternates, is a tone at the band's lower or upper edge. No noise has one,
    but a network's bias is one. So their moving averages over 94 ms are taken out, which leaves gaps of 10 Hz.
    """
    filtered: Tensor = u @ _edge_filter(u.device)
    return filtered


def combine(u: Tensor, r: Tensor, s: Tensor, rho: Tensor) -> Tensor:
    """Return the hit of an innovation `u`; all are (batch, BANDS, MDCT_FRAMES)."""
    return rho * r + s * innovation_gain(rho) * u


def fill_energy(u: Tensor, noise: Tensor, r: Tensor, s: Tensor, rho: Tensor, gate: Tensor | float = 1.0) -> Tensor:
    """Return the hit of an innovation `u` with as much `noise` added as it lacks in power.

    All are (batch, BANDS, MDCT_FRAMES). By the definition of S a hit has unit power in the cells of y/S. A sampler of
    few steps falls short of it: it predicts the mean of all possible hits, which for noise, as in a hat, is silence.
    `noise` is normal, and companded before it is added. `gate` scales both.
    """
    spans, fresh = _span_map(u.device), innovation_gain(rho)
    n = fresh * (compand(noise) / compand_scale(noise.device)[:, None])
    shared, own = rho * r, fresh * u
    q = shared / s + own
    lacking = (1 - cell_mean(q.square(), spans)).clamp_min(0)
    along, power = cell_mean(q * n, spans), cell_mean(n.square(), spans).clamp_min(_QUIET)
    gain = ((along.square() + power * lacking).clamp_min(_QUIET**2).sqrt() - along) / power
    return shared + s * gate * (own + to_bands(gain.clamp(0, 1)) @ spans * n)


def cell_mean(x: Tensor, spans: Tensor) -> Tensor:
    """Return the means (batch, GROUPS, spans) of `x` (batch, BANDS, MDCT_FRAMES) over groups and `spans` of frames."""
    groups = group_map(x.device)
    over_time = x @ (spans / spans.sum(1, keepdim=True)).t()
    return (groups / groups.sum(1, keepdim=True)) @ over_time


def cell_db(c: Tensor) -> Tensor:
    """Return the mean power of cells (batch, GROUPS, SEGMENTS) in dB, floored 90 dB below the loudest."""
    power = cell_mean(c.square(), segment_map(c.device))
    return 10 * (power + _CELL_FLOOR * power.amax((1, 2), keepdim=True)).clamp_min(_SILENCE).log10()


@cache
def _span_map(device: torch.device) -> Tensor:
    return _membership(FILL_EDGES).to(device)


def loss_weight(log_envelope: Tensor) -> Tensor:
    """Return the weight of each coefficient of u in the loss (batch, BANDS, MDCT_FRAMES), mean 1.

    Each band group weighs the same, however many bands it has, so that the one band that holds a kick's body is
    not 1/64 of the loss; and loud coefficients weigh more (the root of their loudness over its mean, 0.1 to 4).
    """
    s = loudness(log_envelope)
    loud = (s / s.mean((1, 2), keepdim=True)).sqrt().clamp(0.1, 4.0)
    groups = group_map(s.device)
    weight = loud * (groups / groups.sum(1, keepdim=True)).sum(0)[:, None]
    return weight / weight.mean((1, 2), keepdim=True)
