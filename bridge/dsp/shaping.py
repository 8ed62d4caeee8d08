"""What a pad's knobs do to its strokes: start, pitch, attack, decay, tone, direction."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.onset import onset_frame

Audio = NDArray[np.float32]

_ATTACK_SECONDS: Final = 0.015
_TONE_HZ: Final = 1_000.0
_FADE_SECONDS: Final = 0.002
_ENVELOPE_SECONDS: Final = 0.01
_FITTED_DB: Final = 40.0
_MOST_RAISED_DB: Final = 24.0
_FASTEST_T60, _SLOWEST_T60 = 0.02, 20.0
_SILENT: Final = 1e-12


@dataclass(frozen=True, kw_only=True)
class Shaping:
    """Knobs of a pad; by default none does anything."""

    tune: float = 0.0
    """Pitch in semitones; the length changes with it, as that of a tape does."""
    decay: float = 1.0
    """Decay time beside the stroke's own: below 1 shorter, above longer."""
    attack: float = 0.0
    """Level of the first 15 ms in dB, beside the rest."""
    tone: float = 0.0
    """Tilt in dB: so much more of what lies above 1 kHz than of what lies below."""
    start: float = 0.0
    """What is left out after the onset, in ms."""
    reverse: bool = False
    """Whether it is played backwards."""


def shaped(stroke: Audio, rate: int, shaping: Shaping) -> Audio:
    """Return a stroke (channels, frames) as a pad's knobs make it; the same array where they do nothing."""
    if shaping == Shaping():
        return stroke
    onset = onset_frame(stroke) if stroke.any() else 0
    if shaping.start:
        stroke = _started(stroke, rate, onset, shaping.start / 1000)
    if shaping.tune:
        # Not before: a kit is read without it.
        import soxr

        tuned = soxr.resample(stroke.T, rate * 2 ** (shaping.tune / 12), rate).T
        stroke = tuned if tuned.shape[1] else np.zeros((len(stroke), 1), np.float32)
        onset = round(onset / 2 ** (shaping.tune / 12))
    gain_db = np.zeros(stroke.shape[1])
    seconds = np.maximum(np.arange(stroke.shape[1]) - onset, 0) / rate
    if shaping.attack:
        gain_db += shaping.attack * np.exp(-seconds / _ATTACK_SECONDS)
    if shaping.decay != 1:
        slower = 60 / _t60(stroke, rate, onset) * (1 / shaping.decay - 1)
        gain_db -= np.maximum(slower * seconds, -_MOST_RAISED_DB)
    stroke = (stroke * 10 ** (gain_db / 20)).astype(np.float32)
    if shaping.tone:
        from pedalboard import HighShelfFilter, LowShelfFilter

        for shelf in (LowShelfFilter(_TONE_HZ, -shaping.tone / 2), HighShelfFilter(_TONE_HZ, shaping.tone / 2)):
            stroke = shelf.process(stroke, rate)
    return np.ascontiguousarray(_faded(stroke[:, ::-1], rate) if shaping.reverse else stroke)


def _started(stroke: Audio, rate: int, onset: int, seconds: float) -> Audio:
    """Return a stroke that begins later after its onset, faded in."""
    kept = stroke[:, min(onset + round(seconds * rate), stroke.shape[1] - 1) :].copy()
    frames = min(round(_FADE_SECONDS * rate), kept.shape[1])
    kept[:, :frames] *= np.linspace(0, 1, frames, endpoint=False, dtype=np.float32)
    return np.concatenate([np.zeros((len(kept), onset), np.float32), kept], axis=1)


def _faded(stroke: Audio, rate: int) -> Audio:
    """Return a stroke that ends in a fade: turned round, it would stop at its attack."""
    faded = stroke.copy()
    frames = min(round(_FADE_SECONDS * rate), faded.shape[1])
    faded[:, faded.shape[1] - frames :] *= np.linspace(1, 0, frames, dtype=np.float32)
    return faded


def _t60(stroke: Audio, rate: int, onset: int) -> float:
    """Return how long a stroke takes for 60 dB, by the straight line through its level after the peak."""
    hop = max(1, round(_ENVELOPE_SECONDS * rate))
    tail = stroke[:, onset:]
    power = np.square(tail[:, : tail.shape[1] // hop * hop]).reshape(len(tail), -1, hop).mean(axis=(0, 2))
    if len(power) < 3:
        return _SLOWEST_T60
    level = 10 * np.log10(power + _SILENT)
    peak = int(level.argmax())
    low = np.flatnonzero(level[peak:] < level[peak] - _FITTED_DB)
    course = level[peak : peak + int(low[0]) if low.size else len(level)]
    if len(course) < 2:
        return _FASTEST_T60
    slope = float(np.polyfit(np.arange(len(course)), course, 1)[0])
    return float(np.clip(60 / max(-slope, 1e-6) * hop / rate, _FASTEST_T60, _SLOWEST_T60))
