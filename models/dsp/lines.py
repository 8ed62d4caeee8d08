"""Spectral lines of hits: how far they stand out, how long they last, and which ones a reference lacks.

Pure functions over batches of hits (hits, frames) at RATE, on any device. What they look at is the body, 16,384 frames
from frame 1,500, unless another span is given. Levels are in dB, and NaN where a hit has decayed before that.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ghostnote.bridge.dsp.band_lines import BODY_FRAMES, BODY_START
from ghostnote.models.dsp.mdct import RATE
from ghostnote.models.dsp.metrics import at_level_of


class Span(NamedTuple):
    """Which frames of hits are looked at."""

    start: int
    frames: int
    """At most BODY_FRAMES; the resolution is four bins of a transform of that size."""


BODY: Final = Span(BODY_START, BODY_FRAMES)
ATTACK: Final = Span(100, 4096)
"""The first 0.1 s, from just after the strike."""
BANDS_HZ: Final = ((150.0, 600.0), (600.0, 1500.0), (1500.0, 6000.0))
"""Where line prominence is measured."""
LINE_DB: Final = 15.0
"""How far a line stands over the median of its surroundings: the highest of 8,000 bins of noise stays below."""
PARTIAL_DB: Final = 12.0
"""The same for one of the many partials of a hit, which lasts besides."""
LACKS_DB: Final = 15.0
"""A reference lacks a line that is more than this above all of its own spectrum within LACKS_HZ."""
LACKS_HZ: Final = 16.0
"""In the body; as many times more as a span is shorter."""
NO_LINE_DB: Final = -90.0
"""The level of a spurious line where there is none, and the least that is looked at."""

_BLACKMAN: Final = (0.42, -0.5, 0.08)
_BLACKMAN_HARRIS: Final = (0.35875, -0.48829, 0.14128, -0.01168)
_LEAST_HZ, _MOST_HZ = 30.0, 16_000.0
_AUDIBLE_DB: Final = -70.0
_DECAYED_DB: Final = -50.0
_SURROUNDINGS: Final = 225
_STRIDE: Final = 25
_SAME_BINS: Final = 2
_TINY: Final = 1e-12


@dataclass(frozen=True)
class SpuriousLine:
    """The strongest line of each stroke that its reference lacks; every field is (hits,)."""

    level_db: Tensor
    """Its level under the reference's strongest line, NO_LINE_DB where there is none."""
    hz: Tensor
    """Its frequency; NaN where there is none."""


@dataclass(frozen=True)
class Partials:
    """The lines of each hit from one half of its body to the other; every field is (hits,)."""

    number: Tensor
    """How many lines of the first half are in the second half too, within 11 Hz."""
    persistence: Tensor
    """Their share of the lines of the first half; NaN where that has none."""


def line_prominence(x: Tensor) -> Tensor:
    """Return how far lines stand out in each of BANDS_HZ, (hits, bands).

    The 99th percentile of a band's lines over their median, in dB, under a Blackman window. NaN where the band lies
    70 dB under the hit's strongest line.
    """
    level = _relative(_span_db(x, _BLACKMAN))
    found = []
    for low, high in BANDS_HZ:
        band = level[:, _bin(low) : _bin(high) + 1]
        top = band.quantile(0.99, dim=1)
        found.append(torch.where(top > _AUDIBLE_DB, top - band.quantile(0.5, dim=1), torch.nan))
    return torch.where(_sounds(x)[:, None], torch.stack(found, 1), torch.nan)


def main_partial(x: Tensor) -> Tensor:
    """Return the frequency in Hz of the strongest line from 30 to 6,000 Hz; NaN where none stands out by LINE_DB."""
    level = _span_db(x, _BLACKMAN_HARRIS)
    lines = (level - surroundings_db(level) > LINE_DB) & _inside(_highest(level), BANDS_HZ[-1][1])
    peak = level.masked_fill(~lines, -torch.inf).argmax(1, keepdim=True).clamp(1, level.shape[1] - 2)
    # The vertex of a parabola through three levels in dB lies within a twentieth of a bin of the line.
    left, middle, right = (level.gather(1, peak + step)[:, 0] for step in (-1, 0, 1))
    bend = (left - 2 * middle + right).clamp_max(-_TINY)
    hz = (peak[:, 0] + (left - right) / (2 * bend)) * (RATE / BODY_FRAMES)
    return torch.where(lines.any(1) & _sounds(x), hz, torch.nan)


def spurious_lines(reference: Tensor, stroke: Tensor, span: Span = BODY) -> SpuriousLine:
    """Return the strongest line from 30 Hz to 16 kHz of each stroke that its reference lacks.

    A line stands LINE_DB over its surroundings in the stroke, and LACKS_DB over all of the reference within LACKS_HZ.
    Noise has none: what two strokes of a drummer differ by in noise does not stand out so far. Nor has a stroke that
    is merely louder: both are compared at the level of their first 60 ms.
    """
    after, present = _stroke_and_present(reference, at_level_of(reference, stroke), span)
    lacking = _inside((after > present + LACKS_DB) & (after - surroundings_db(after) > LINE_DB))
    level, at = after.masked_fill(~lacking, NO_LINE_DB).max(1)
    hz = torch.where(lacking.any(1), at * (RATE / BODY_FRAMES), torch.nan)
    return SpuriousLine(torch.where(_sounds(reference, span), level, torch.nan), hz)


def lacking_db(reference: Tensor, stroke: Tensor, allowed_db: float = LACKS_DB, most_hz: float = _MOST_HZ) -> Tensor:
    """Return by how much each bin of strokes is more than `allowed_db` over all of their reference within LACKS_HZ.

    (hits, bins) in dB from 30 Hz to `most_hz`, 0 where it is not; a loss can be made of it.
    """
    after, present = _stroke_and_present(reference, stroke, BODY)
    over = (after - present - allowed_db).clamp_min(0)
    return over * _inside(torch.ones_like(over, dtype=torch.bool), most_hz)


def partials(x: Tensor) -> Partials:
    """Return how many partials each hit has, and how many last.

    Partials are peaks from 30 Hz to 16 kHz, PARTIAL_DB over their surroundings and at most 70 dB under the strongest.
    """
    half = BODY_FRAMES // 2
    first, second = (_peaks(x[:, start : start + half]) for start in (BODY_START, BODY_START + half))
    near = F.max_pool1d(second.float()[:, None], 2 * _SAME_BINS + 1, 1, _SAME_BINS)[:, 0] > 0
    number, lines = (first & near).sum(1), first.sum(1)
    sounds = _sounds(x)
    persistence = torch.where(lines > 0, number / lines, torch.nan)
    return Partials(torch.where(sounds, number.float(), torch.nan), torch.where(sounds, persistence, torch.nan))


def surroundings_db(level: Tensor) -> Tensor:
    """Return the median of 225 bins (600 Hz) around each bin of spectra (hits, bins) in dB."""
    side = _SURROUNDINGS // 2
    windows = F.pad(level[:, None], (side, side), "reflect")[:, 0].unfold(1, _SURROUNDINGS, _STRIDE)
    medians = windows.median(2).values
    return medians.repeat_interleave(_STRIDE, 1)[:, _offsets(level.shape[1], medians.shape[1], level.device)]


def _stroke_and_present(reference: Tensor, stroke: Tensor, span: Span) -> tuple[Tensor, Tensor]:
    """Return the lines of strokes, and the highest of their reference within LACKS_HZ; both under its top, in dB."""
    before, after = (_span_db(x, _BLACKMAN_HARRIS, span) for x in (reference, stroke))
    top = before.amax(1, keepdim=True)
    reach = round(LACKS_HZ * BODY_FRAMES / RATE * BODY_FRAMES / span.frames)
    present = F.max_pool1d((before - top)[:, None], 2 * reach + 1, 1, reach)[:, 0].clamp_min(NO_LINE_DB)
    return after - top, present


def _offsets(bins: int, windows: int, device: torch.device) -> Tensor:
    """Return which repeated median is nearest to each bin."""
    at = torch.arange(bins, device=device)
    return (at + _STRIDE // 2).clamp_max(windows * _STRIDE - 1)


def _peaks(x: Tensor) -> Tensor:
    """Return which bins of half a body, padded to a whole one, are lines; (hits, bins)."""
    window = _window(_BLACKMAN_HARRIS, x.shape[1], x.device)
    level = _relative(_decibels(torch.fft.rfft(x * window, 2 * x.shape[1])))
    return _inside(_highest(level) & (level > _AUDIBLE_DB) & (level - surroundings_db(level) > PARTIAL_DB))


def _highest(level: Tensor) -> Tensor:
    """Return which bins are the highest of the nine around them, which is a line's width."""
    return F.max_pool1d(level[:, None], 9, 1, 4)[:, 0] == level


def _inside(found: Tensor, most_hz: float = _MOST_HZ) -> Tensor:
    """Return `found` (hits, bins) without what lies below 30 Hz or above `most_hz`."""
    hz = torch.arange(found.shape[1], device=found.device) * (RATE / BODY_FRAMES)
    return found & (hz >= _LEAST_HZ) & (hz <= most_hz)


def _sounds(x: Tensor, span: Span = BODY) -> Tensor:
    """Return whether the span of each hit holds more than -50 dB of its energy, (hits,)."""
    energy = x[:, span.start : span.start + span.frames].square().sum(1)
    return energy > 10 ** (_DECAYED_DB / 10) * x.square().sum(1) + _TINY


def _relative(level: Tensor) -> Tensor:
    """Return levels in dB under the strongest of each hit, no lower than what 16 bits resolve."""
    return (level - level.amax(1, keepdim=True)).clamp_min(NO_LINE_DB)


def _span_db(x: Tensor, terms: tuple[float, ...], span: Span = BODY) -> Tensor:
    """Return the spectrum of a span in dB, (hits, BODY_FRAMES / 2 + 1)."""
    part = x[:, span.start : span.start + span.frames]
    part = F.pad(part, (0, span.frames - part.shape[1]))
    return _decibels(torch.fft.rfft(part * _window(terms, span.frames, x.device), BODY_FRAMES))


def _decibels(spectrum: Tensor) -> Tensor:
    return 20 * (spectrum.abs() + 1e-9).log10()


def _bin(hz: float) -> int:
    return round(hz * BODY_FRAMES / RATE)


@cache
def _window(terms: tuple[float, ...], frames: int, device: torch.device) -> Tensor:
    """Return a window that is a sum of cosines."""
    turn = torch.arange(frames, device=device, dtype=torch.float64) * (2 * torch.pi / frames)
    return sum((a * (k * turn).cos() for k, a in enumerate(terms)), torch.zeros_like(turn)).float()
