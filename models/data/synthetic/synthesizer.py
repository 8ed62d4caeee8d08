"""A drum synthesizer: drums drawn at random, and true repeats of each.

A stroke is a body of decaying, gliding modes and layers of shaped noise. What belongs to the drum (pitch,
modes, decays, spectra) is the same in every stroke; the noise, and small deviations of level, pitch, decay
and position, are new each time. So the strokes relate as a drummer's do.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ghostnote.bridge.drums import label_of
from ghostnote.models.data.synthetic.recipes import RECIPES, NoiseRecipe, Range, Recipe

Floats = NDArray[np.float64]

FULL_PEAK: Final = 0.4
"""The peak of a drum's reference stroke at velocity 1, which leaves room for its louder repeats."""
_LEVEL_EXPONENT: Final = 1.6
_COHERENT_SECONDS: Final = 0.004
_SPECTRUM_POINTS: Final = 14
_SPECTRUM_DB: Final = 5.0
_LN_1000: Final = 6.907755
_FADE_SECONDS: Final = 0.02


@dataclass(frozen=True)
class NoiseLayer:
    """One noise layer of one drum."""

    recipe: NoiseRecipe
    gain: float
    low_hz: float
    high_hz: float
    decay_seconds: float
    spectrum_db: tuple[float, ...]
    """Its own peaks and dips, at points evenly spaced in log frequency from 30 Hz to 20 kHz."""
    burst_seconds: tuple[float, ...]
    """Its onsets; the last is the one that rings."""


@dataclass(frozen=True)
class SyntheticDrum:
    """One drum: everything that its strokes have in common."""

    recipe: Recipe
    seed: tuple[int, ...]
    pitch_hz: float
    decay_seconds: float
    glide_semitones: float
    glide_seconds: float
    position: float
    mode_ratios: tuple[float, ...]
    noises: tuple[NoiseLayer, ...]
    gain: float = 1.0


def draw_drum(drum_class: str, seed: int, index: int = 0) -> SyntheticDrum:
    """Return the `index`-th drum of a class for a seed; `KeyError` for a class without a recipe."""
    recipe = RECIPES[drum_class]
    key = (seed, label_of(drum_class), index)
    rng = np.random.default_rng(key)
    drum = SyntheticDrum(
        recipe=recipe,
        seed=key,
        pitch_hz=_log_uniform(rng, recipe.pitch_hz),
        decay_seconds=_log_uniform(rng, recipe.decay_seconds),
        glide_semitones=rng.uniform(*recipe.glide_semitones),
        glide_seconds=_log_uniform(rng, recipe.glide_seconds),
        position=rng.uniform(*recipe.position),
        # Real shells and heads leave the ideal ratios by a few per cent.
        mode_ratios=tuple(
            ratio * (1 + 0.03 * rng.standard_normal() * (i > 0)) for i, (ratio, *_) in enumerate(recipe.modes)
        ),
        noises=tuple(_draw_noise(rng, noise) for noise in recipe.noises),
    )
    reference = _stroke(drum, 1.0, np.random.default_rng(key), 16384, 44100)
    return replace(drum, gain=FULL_PEAK / float(np.abs(reference).max()))


def strike(
    drum: SyntheticDrum, velocity: float, index: int, frames: int = 32768, rate: int = 44100
) -> NDArray[np.float32]:
    """Return the `(frames,)` audio of a drum's `index`-th stroke at `velocity` 0..1.

    The same arguments give the same stroke, another index a repeat. `ValueError` for another velocity.
    """
    if not 0 <= velocity <= 1:
        raise ValueError(f"velocity {velocity} is not from 0 to 1")
    rng = np.random.default_rng((*drum.seed, 1 + index))
    jitter_db = drum.recipe.level_jitter_db * float(np.clip(rng.standard_normal(), -2.5, 2.5))
    audio = _stroke(drum, velocity, rng, frames, rate) * drum.gain * 10 ** (jitter_db / 20)
    fade = min(frames, int(_FADE_SECONDS * rate))
    audio[frames - fade :] *= np.linspace(1, 0, fade)
    return audio.astype(np.float32)


def _stroke(drum: SyntheticDrum, velocity: float, rng: Generator, frames: int, rate: int) -> Floats:
    """Return a stroke without the drum's gain; the body of a full stroke peaks near 1."""
    level = velocity**_LEVEL_EXPONENT
    decay = 1 + drum.recipe.decay_jitter * float(np.clip(rng.standard_normal(), -2.5, 2.5))
    time = np.arange(frames) / rate
    audio = _body(drum, level, decay, rng, time) if drum.recipe.modes else np.zeros(frames)
    for i, noise in enumerate(drum.noises):
        own = np.random.default_rng((*drum.seed, 0, i))
        audio += level ** (1 + noise.recipe.tilt) * noise.gain * _noise(noise, decay, own, rng, time)
    return audio


def _body(drum: SyntheticDrum, level: float, decay: float, rng: Generator, time: Floats) -> Floats:
    """Return the decaying modes; a harder stroke begins higher above the pitch, as a stretched head does."""
    rate = 1 / time[1]
    cents = drum.recipe.pitch_jitter_cents * rng.standard_normal()
    semitones = cents / 100 + drum.glide_semitones * level * np.exp(-time / drum.glide_seconds)
    cycles = np.cumsum(drum.pitch_hz * 2 ** (semitones / 12)) / rate
    angle = np.pi / 2 * np.clip(drum.position + 0.03 * rng.standard_normal(), 0, 1)
    body = np.zeros_like(time)
    for ratio, (_, gain_db, scale, edge) in zip(drum.mode_ratios, drum.recipe.modes, strict=True):
        if drum.pitch_hz * ratio < 0.45 * rate:
            excited = (1 - edge) * np.cos(angle) + edge * np.sin(angle)
            tail = np.exp(-_LN_1000 / (drum.decay_seconds * scale * decay) * time)
            body += 10 ** (gain_db / 20) * excited * tail * np.sin(2 * np.pi * ratio * cycles)
    return level * body


def _noise(noise: NoiseLayer, decay: float, own: Generator, fresh: Generator, time: Floats) -> Floats:
    """Return one layer: the drum's own noise at first, fresh noise after, shaped and decaying."""
    coherence = noise.recipe.coherence * np.exp(-time / _COHERENT_SECONDS)
    white = coherence * own.standard_normal(time.size)
    white += np.sqrt(1 - coherence**2) * fresh.standard_normal(time.size)
    return _shaped(noise, white, 1 / time[1]) * _envelope(noise, decay, fresh, time)


def _shaped(noise: NoiseLayer, white: Floats, rate: float) -> Floats:
    """Return the noise inside its band and with the drum's own spectrum, at a level whose peaks are near 1."""
    hz = np.fft.rfftfreq(white.size, 1 / rate)
    points = np.geomspace(30, 20000, _SPECTRUM_POINTS)
    shape = 10 ** (np.interp(hz, points, noise.spectrum_db) / 20)
    # Slopes of 24 dB an octave on both sides; nothing is left at 0 Hz.
    shape /= np.sqrt(1 + (noise.low_hz / np.maximum(hz, 1e-3)) ** 8) * np.sqrt(1 + (hz / noise.high_hz) ** 8)
    # The level comes from the filter, not from this noise: it must not undo the deviations between strokes.
    return np.asarray(np.fft.irfft(np.fft.rfft(white) * shape, white.size) * 0.3 / np.sqrt(np.mean(shape**2)))


def _envelope(noise: NoiseLayer, decay: float, rng: Generator, time: Floats) -> Floats:
    seconds = noise.decay_seconds * decay
    *early, last = (t + 0.0008 * rng.standard_normal() * (t > 0) for t in noise.burst_seconds)
    envelope = _ring(time - last, noise.recipe.attack_seconds, seconds)
    for onset in early:
        envelope = np.maximum(envelope, _ring(time - onset, noise.recipe.attack_seconds, 0.03))
    return envelope


def _ring(time: Floats, attack_seconds: float, decay_seconds: float) -> Floats:
    rising = np.clip(time / attack_seconds, 0, 1)
    falling: Floats = np.exp(-_LN_1000 / decay_seconds * np.maximum(time - attack_seconds, 0))
    return rising * falling


def _draw_noise(rng: Generator, recipe: NoiseRecipe) -> NoiseLayer:
    gaps = rng.uniform(0.007, 0.013, recipe.bursts)
    return NoiseLayer(
        recipe=recipe,
        gain=10 ** (rng.uniform(*recipe.gain_db) / 20),
        low_hz=_log_uniform(rng, recipe.low_hz),
        high_hz=_log_uniform(rng, recipe.high_hz),
        decay_seconds=_log_uniform(rng, recipe.decay_seconds),
        spectrum_db=tuple(_SPECTRUM_DB * rng.standard_normal(_SPECTRUM_POINTS)),
        burst_seconds=(0.0, *np.cumsum(gaps).tolist()),
    )


def _log_uniform(rng: Generator, bounds: Range) -> float:
    return float(np.exp(rng.uniform(*np.log(bounds))))
