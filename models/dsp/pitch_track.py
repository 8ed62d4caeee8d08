"""The tone of a hit's body: what a new sound is predicted from.

Below 600 Hz a drum is close to one decaying tone, A(t)·cos φ(t), often gliding. The envelope holds A; the tone rows of
a shape hold φ, its rate as a track and its start, and how much of the body the tone explains. A new sound is
predicted from its tone as a stroke is from its reference, so it rings at once, where a network would otherwise have to
find a phase that holds over hundreds of milliseconds in noise.
"""

import math
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.dsp.shape import BAND_EDGES, EXPONENTS
from ghostnote.models.dsp.decomposition import ENVELOPE_FRAMES, GROUPS, HOP, group_map, to_frames
from ghostnote.models.dsp.mdct import BANDS, HIT_FRAMES, RATE, compand, mdct

TONE_BANDS: Final = 2
"""The lowest MDCT bands, each a band group of its own, hold the tone."""
LEAK_BANDS: Final = 8
"""The bands, whole groups, into which the transform's window leaks the tone audibly. If the leakage were not the tone's
own, it would not cancel in the inverse transform: every band's edge would ring beside the drum."""
_LEAK_GROUPS: Final = BAND_EDGES.index(LEAK_BANDS)
LOWEST_HZ: Final = 25.0
HIGHEST_HZ: Final = 600.0
UNIT_HZ: Final = 100.0
"""The track is in octaves above this."""
_HOP_FRAMES: Final = HIT_FRAMES // ENVELOPE_FRAMES
TONE_ROWS: Final = 3 + TONE_BANDS
"""The track in octaves above UNIT_HZ; cosine and sine of the phase at the first frame, repeated; each band's share."""
_SHARE_FRAMES: Final = 8.0
"""Envelope frames over which a tone's share of its band is measured, to 1/e."""
_SHARE_LIMIT: Final = 0.99
_EDGE_OCTAVES: Final = 0.5
_SMOOTH_FRAMES: Final = 1.2
"""Envelope frames over which pitch is smoothed, to 1/e, by power: a drum that has died away keeps its last pitch."""
_SHARE_ROUNDING: Final = 1e-6
_LEAK_LIMIT: Final = 0.999
_LEAST_SHARE: Final = 1e-2
_LEAST_HELD: Final = 0.02
"""Least power by which a tone at the edge of its bands is normalised."""
_AROUND_FRAMES: Final = 9
"""MDCT frames over which powers are averaged: the beating of a low tone with the frames is not a change of level."""
_ATTACK_FRAMES: Final = 6
_DRIFT_ROUNDS: Final = 2
"""How often drift is corrected."""
_QUIET: Final = 1e-12


def measure_tone(x: Tensor, normalised: Tensor) -> Tensor:
    """Return the tone rows (batch, TONE_ROWS, ENVELOPE_FRAMES) of waveforms (batch, HIT_FRAMES).

    `normalised` (batch, BANDS, MDCT_FRAMES) are their coefficients over their scale. A band's share is the correlation
    of its coefficients with the tone's.
    """
    pitch = _measure_pitch(x)
    tone, body = _tone(pitch)[:, :TONE_BANDS], normalised[:, :TONE_BANDS]

    def windowed(product: Tensor) -> Tensor:
        summed: Tensor = product.unflatten(2, (ENVELOPE_FRAMES, HOP)).sum(3) @ _nearness(_SHARE_FRAMES, x.device)
        return summed

    power = (windowed(tone.square()) * windowed(body.square())).sqrt()
    share = windowed(tone * body) / power.clamp_min(_QUIET)
    return torch.cat([pitch, share.clamp(0.0, _SHARE_LIMIT)], dim=1)


def tone_of(rows: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
    """Return the tone that predicts a hit of scale `s` (batch, BANDS, MDCT_FRAMES), and the hit's coherence with it.

    The tone is (batch, LEAK_BANDS, MDCT_FRAMES), companded; the coherence (batch, their groups, MDCT_FRAMES) is the
    share of a group's power that the tone makes up, and in the bands that hold the tone at least its own share.
    """
    tone = _tone(rows[:, :3])
    share = to_frames(rows[:, 3:].clamp(0.0, 1.0 - _SHARE_ROUNDING))
    held = (s[:, :TONE_BANDS] * share).square().sum(1, keepdim=True)
    unit = _around(tone[:, :TONE_BANDS].square().sum(1, keepdim=True)).clamp_min(_LEAST_HELD)
    leaked = compand((_around(held) / unit).sqrt() * tone)
    part = (_around(leaked.square()) / _around(s[:, :LEAK_BANDS].square())).sqrt().clamp(max=_LEAK_LIMIT)
    groups = group_map(s.device)[:_LEAK_GROUPS, :LEAK_BANDS]
    coherence = (groups / groups.sum(1, keepdim=True)) @ part
    coherence = torch.cat([torch.maximum(share, coherence[:, :TONE_BANDS]), coherence[:, TONE_BANDS:]], dim=1)
    of_bands = groups.t() @ coherence
    return leaked / of_bands.clamp_min(_LEAST_SHARE) * (of_bands > _LEAST_SHARE), coherence


@dataclass(frozen=True)
class Clarity:
    """How clear a class's new tones are; set so that they stand out of their surroundings as those of the corpus do."""

    noise_part: float
    """Share of noise in what a tone leaves unexplained of a drum. The other part rings beside the tone, like a wavering
    pitch or a second partial; as noise it would mask the tone."""
    pitch_frames: float
    """Envelope frames over which the pitch is smoothed, to 1/e."""
    body_frames: float
    """The same for the level of the bands that hold the tone, after the attack."""


PLAIN: Final = Clarity(1 / 4, 1.2, 0.01)
CLEAR: Final[Mapping[str, Clarity]] = {
    "kick": Clarity(1 / 100, 1.2, 0.01),
    "tom": Clarity(1 / 40, 6.0, 3.0),
    "perc": Clarity(1 / 20, 1.2, 0.01),
}
"""Classes that ring more clearly than others: most toms of the corpus are one steady tone."""


def clarify_tone(shape: Tensor, label: Tensor) -> Tensor:
    """Return new shapes (batch, rows, ENVELOPE_FRAMES), tone rows last, with the clarity of their classes."""
    named = [CLEAR.get(name, PLAIN) for name in (*CLASS_NAMES, "any")]
    settings = torch.tensor([astuple(clarity) for clarity in named], device=shape.device)[label]
    noise_part, pitch_frames, body_frames = settings[:, :, None, None].unbind(1)
    body, above, pitch, phase, share = shape.split((TONE_BANDS, GROUPS - TONE_BANDS, 1, 2, TONE_BANDS), dim=1)
    near = _nearness(body_frames, shape.device)
    smooth_body = body @ near / near.sum(1, keepdim=True)
    body = torch.cat([body[:, :, :_ATTACK_FRAMES], smooth_body[:, :, _ATTACK_FRAMES:]], dim=2)
    weight = (2 * body[:, :1] / EXPONENTS[0][1]).exp() + _QUIET
    near = _nearness(pitch_frames, shape.device)
    pitch = (pitch * weight) @ near / (weight @ near)
    share = (1 - noise_part * (1 - share.clamp(0.0, 1.0).square())).sqrt()
    return torch.cat([body, above, pitch, phase, share], dim=1)


def _measure_pitch(x: Tensor) -> Tensor:
    """Return track, cosine and sine (batch, 3, ENVELOPE_FRAMES) of waveforms (batch, HIT_FRAMES).

    The track is the rate of the phase of the analytic low-passed signal (Boashash 1992) between the middles of
    neighbouring frames, whole turns included, smoothed by power and then corrected for drift. The phase is the one at
    which the track's tone correlates best with the signal.
    """
    analytic = _analytic_body(x)
    power = analytic.unflatten(1, (ENVELOPE_FRAMES, _HOP_FRAMES)).abs().square().mean(2)
    track = _smooth_by_power(_rates(analytic), power)
    for _ in range(_DRIFT_ROUNDS):
        track = _correct_drift(track, analytic)
    correlation = _demodulate(track, analytic).sum(1)
    phase = correlation / correlation.abs().clamp_min(_QUIET)
    ends = torch.stack([phase.real, phase.imag], dim=1)[:, :, None].expand(-1, -1, ENVELOPE_FRAMES)
    return torch.cat([track[:, None], ends], dim=1)


def _demodulate(track: Tensor, analytic: Tensor) -> Tensor:
    """Return the signal demodulated by the track's tone, summed over frames, (batch, ENVELOPE_FRAMES), complex."""
    turns = _turns(track)
    baseband = analytic * torch.polar(torch.ones_like(turns), -2 * math.pi * turns)
    summed: Tensor = baseband.unflatten(1, (ENVELOPE_FRAMES, _HOP_FRAMES)).sum(2)
    return summed


def _correct_drift(track: Tensor, analytic: Tensor) -> Tensor:
    """Return the track, its rate corrected by the slow drift of the signal's phase against its tone."""
    nearness = _nearness(_SMOOTH_FRAMES, track.device).to(analytic.dtype)
    baseband = _demodulate(track, analytic) @ nearness
    drift_turns = (baseband[:, 1:] * baseband[:, :-1].conj()).angle() / (2 * math.pi)
    drift_hz = F.pad(drift_turns, (0, 1)) * (RATE / _HOP_FRAMES)
    return _octaves(UNIT_HZ * torch.exp2(track) + drift_hz)


def _octaves(hz: Tensor) -> Tensor:
    return hz.clamp(LOWEST_HZ, HIGHEST_HZ).div(UNIT_HZ).log2()


def _rates(analytic: Tensor) -> Tensor:
    """Return octaves above UNIT_HZ (batch, ENVELOPE_FRAMES) from each frame's middle to the next."""
    turned = analytic[:, 1:] * analytic[:, :-1].conj()
    summed = torch.cat([torch.zeros_like(turned[:, :1]), turned.cumsum(1)], dim=1)
    middle = torch.arange(ENVELOPE_FRAMES, device=analytic.device) * _HOP_FRAMES + _HOP_FRAMES // 2
    # The power-weighted mean rate gives the whole turns, the phases at the middles the fraction.
    rough = (summed[:, middle[1:]] - summed[:, middle[:-1]]).angle() * (_HOP_FRAMES / (2 * math.pi))
    exact = (analytic[:, middle[1:]] * analytic[:, middle[:-1]].conj()).angle() / (2 * math.pi)
    turns = exact + (rough - exact).round()
    turns = torch.cat([turns, turns[:, -1:]], dim=1)
    return _octaves(turns * (RATE / _HOP_FRAMES))


def _smooth_by_power(octaves: Tensor, power: Tensor) -> Tensor:
    """Return a track averaged over nearby frames by power and distance; all (batch, ENVELOPE_FRAMES)."""
    near = _nearness(_SMOOTH_FRAMES, octaves.device)
    weight = power + _QUIET
    return (octaves * weight) @ near / (weight @ near)


def _nearness(frames: float | Tensor, device: torch.device) -> Tensor:
    """Return weights (…, ENVELOPE_FRAMES, ENVELOPE_FRAMES) by distance, 1/e at `frames` (…, 1, 1)."""
    place = torch.arange(ENVELOPE_FRAMES, device=device)
    return (-(place[:, None] - place[None]).abs() / frames).exp()


def _turns(track: Tensor) -> Tensor:
    """Return the phase in turns (batch, HIT_FRAMES), modulo 1, of a tone with this track.

    In double precision: single precision would lose a tone's phase in half a second.
    """
    hop_turns = UNIT_HZ * torch.exp2(track.double()) * (_HOP_FRAMES / RATE)
    following = torch.cat([hop_turns[:, 1:], hop_turns[:, -1:]], dim=1)
    # The track's rates lie between the middles of frames, so the first half frame takes the first rate.
    ends = torch.cat([hop_turns[:, :1], (hop_turns + following)[:, :-1] / 2], dim=1).cumsum(1)
    begins = F.pad(ends[:, :-1], (1, 0))[:, :, None]
    rate = torch.cat([hop_turns[:, :1], hop_turns[:, :-1]], dim=1)[:, :, None]
    change = (hop_turns[:, :, None] - rate) / 2
    place = ((torch.arange(_HOP_FRAMES, device=track.device) + 1) / _HOP_FRAMES).double()
    turns = (begins + rate * place + change * place.square()).reshape(-1, HIT_FRAMES)
    return (turns - turns.floor()).float()


def _tone(pitch: Tensor) -> Tensor:
    """Return the coefficients (batch, LEAK_BANDS, MDCT_FRAMES) of the tone of track, cosine and sine.

    They have unit power in the band that holds it.
    """
    angle = _turns(pitch[:, 0]) * (2 * math.pi)
    cosine, sine = pitch[:, 1:].mean(2, keepdim=True).unbind(1)
    size = (cosine.square() + sine.square()).sqrt().clamp_min(1e-3)
    wave = (angle.cos() * cosine - angle.sin() * sine) / size
    return mdct(wave)[:, :LEAK_BANDS] / math.sqrt(BANDS / 2)


def _around(x: Tensor) -> Tensor:
    """Return the means of `x` (batch, rows, MDCT_FRAMES) over nearby frames."""
    return F.avg_pool1d(x, _AROUND_FRAMES, 1, _AROUND_FRAMES // 2, count_include_pad=False)


def _analytic_body(x: Tensor) -> Tensor:
    """Return the analytic signal of `x` between the lowest and highest pitch, with soft edges."""
    frequency = torch.arange(HIT_FRAMES // 2 + 1, device=x.device) * (RATE / HIT_FRAMES)
    octaves_inside = torch.minimum(
        (frequency / LOWEST_HZ).clamp_min(1e-6).log2(), (HIGHEST_HZ / frequency.clamp_min(1e-6)).log2()
    )
    gain = 0.5 - 0.5 * torch.cos(math.pi * (octaves_inside / _EDGE_OCTAVES + 1).clamp(0, 1))
    spectrum = torch.fft.rfft(x) * (2 * gain)
    full = torch.cat([spectrum, spectrum.new_zeros(len(x), HIT_FRAMES - spectrum.shape[1])], dim=1)
    analytic: Tensor = torch.fft.ifft(full)
    return analytic
