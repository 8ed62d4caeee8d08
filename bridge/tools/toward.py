"""A hit moved towards another drum, part by part.

The residual is noised and denoised under the other drum's class (SDEdit, Meng et al. 2022), after its levels over time
and frequency went so far towards those of the drum. Of the partials, which are no noise, the hit's own and the drum's
are transposed to one pitch between theirs, and one gives way to the other.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.attack import Attack
from ghostnote.bridge.dsp.conversion import resample
from ghostnote.bridge.dsp.shape import BAND_EDGES, HOP_FRAMES, MDCT_BANDS, RATE
from ghostnote.bridge.dsp.stereo_image import band_correlation, correlated_sides
from ghostnote.bridge.inference.model import Generator
from ghostnote.bridge.inference.new_drum import ended
from ghostnote.bridge.inference.schedule import schedule
from ghostnote.bridge.tools.band_gain import with_band_gain
from ghostnote.bridge.tools.hit_parts import FLOOR_DB, HitParts, fit, power_of, whole_frames
from ghostnote.bridge.tools.target_drum import TargetDrum

Audio = NDArray[np.float32]
Array = NDArray[np.float64]

BODY_SECONDS: Final = 0.1
"""What comes later is a hit's tail."""
_BODY_FADE_SECONDS: Final = 0.03
_MOST_GAIN_DB: Final = 12.0
_SILENT: Final = 1e-12
_MOST_CORRECTION_DB: Final = 24.0
_MOST_OCTAVES: Final = 2.0
"""Pitches that lie farther apart are no two of one partial: one gives way to the other without moving, or stays."""
_CROSSFADE: Final = 4096
_RISE: Final = np.sin(np.linspace(0, np.pi / 2, 44, dtype=np.float32)) ** 2
"""What is added to a hit rises in the millisecond before its onset."""


@dataclass(frozen=True)
class Move:
    """How far each property of a hit goes to the other drum's: 0 keeps it, 1 takes the other's."""

    partials: float
    """What rings."""
    body: float
    """The residual in the first 0.1 s."""
    tail: float
    """The residual after that."""
    pitch: float
    """Of the partials."""
    level: float
    """How loud the whole is over time."""

    @property
    def is_none(self) -> bool:
        """Whether the hit stays as it is: the level alone moves nothing."""
        return not (self.partials or self.body or self.tail or self.pitch)


def moved(
    generator: Generator,
    parts: HitParts,
    drum: TargetDrum,
    move: Move,
    rng: np.random.Generator,
    *,
    steps: int | None = None,
    guidance: float = 1.0,
) -> Audio:
    """Return the hit (channels, frames) of `parts`, moved towards a drum; `rng` draws the noise.

    It peaks as high as it did. With 0 `steps` the network is left out, and levels alone change.
    """
    frames = max(whole_frames(parts.residual), whole_frames(drum.partials[None]), generator.card.shape_size[1])
    along = _along(move, frames)
    residual = fit(parts.residual, frames * HOP_FRAMES)
    partials = _partials(parts, drum, move, frames)
    powers = power_of(residual, frames), power_of(partials, frames)
    gain_db, level_db = _gains(parts, drum, powers, along, move)
    filling = parts.balance * _filling(residual, powers[0], gain_db, level_db, rng)
    changed = with_band_gain(residual, np.minimum(gain_db, _MOST_GAIN_DB) + level_db) + filling
    if steps != 0 and along.max() > 0:
        changed = _denoised(generator, changed, drum.label, float(along.max()), rng, steps=steps, guidance=guidance)
    fresh = np.repeat(np.minimum(along / max(float(along.max()), _SILENT), 1), HOP_FRAMES).astype(np.float32)
    fresh = np.sqrt(fresh) if along.max() > 0 else fresh
    whole = np.sqrt(1 - np.square(fresh)) * residual + fresh * changed
    whole += with_band_gain(partials, np.broadcast_to(level_db, gain_db.shape)) if move.partials else partials
    return _finished(parts, whole)


def _along(move: Move, frames: int) -> Array:
    """Return how far the residual moves in each frame of a shape, (frames,)."""
    seconds = (np.arange(frames) + 0.5) * HOP_FRAMES / RATE
    tail = np.clip((seconds - BODY_SECONDS) / _BODY_FADE_SECONDS + 0.5, 0, 1)
    return np.asarray(move.body * (1 - tail) + move.tail * tail)


def _partials(parts: HitParts, drum: TargetDrum, move: Move, frames: int) -> Audio:
    """Return the partials (channels, frames) between those of a hit and a drum, at one pitch between theirs."""
    if not (move.partials or move.pitch):
        return fit(parts.partials, frames * HOP_FRAMES)
    octaves, share = float(np.log2(drum.hz / parts.hz)) if drum.hz and parts.hz else 0.0, move.partials
    if abs(octaves) > _MOST_OCTAVES:
        # Where the pitch is kept, the drum's would be at another one: the hit's own stay.
        octaves, share = 0.0, move.partials if move.pitch else 0.0
    own = fit(transposed(parts.partials, octaves * move.pitch), frames * HOP_FRAMES)
    others = parts.balance * fit(transposed(drum.partials[None], octaves * (move.pitch - 1)), frames * HOP_FRAMES)
    others[:, : len(_RISE)] *= _RISE
    angle = share * np.pi / 2
    return np.asarray(np.float32(np.cos(angle)) * own + np.float32(np.sin(angle)) * others)


def transposed(audio: Audio, octaves: float) -> Audio:
    """Return audio (channels, frames) played faster, and so higher, by so many octaves."""
    rate = round(RATE / 2**octaves)
    return resample(audio, RATE, rate) if audio.shape[1] else audio


def _gains(
    parts: HitParts, drum: TargetDrum, powers: tuple[Array, Array], along: Array, move: Move
) -> tuple[Array, Array]:
    """Return the gain of the residual's cells (GROUPS, frames), and of all that moves (frames,), in dB.

    The first changes how the residual's power lies over frequency, beside the level of the whole; the second brings
    the whole to the level that lies between the two drums'.
    """
    residual, partials = powers
    frames = residual.shape[1]
    other, own_level = drum.power_until(frames), _level_db(residual + power_of(parts.partials, frames))
    other_level = _level_db(other + power_of(drum.partials[None], frames))
    wanted = (1 - move.level) * own_level + move.level * other_level
    beside = (_decibels(other) - other_level) - (_decibels(residual) - own_level)
    gain_db = along * beside
    found = _level_db(residual * 10 ** (gain_db / 10) + partials)
    limit = _MOST_CORRECTION_DB * min(1.0, 4 * max(move.partials, move.body, move.tail, move.level))
    return gain_db, np.minimum(wanted - found, limit)


def _filling(residual: Audio, power: Array, gain_db: Array, level_db: Array, rng: np.random.Generator) -> Audio:
    """Return noise (channels, frames) where a residual of this power (GROUPS, frames) lacks what its gains ask for.

    The residual itself gets no more than a moderate gain: what is gone after a click would make that click louder.
    """
    limited = np.minimum(gain_db, _MOST_GAIN_DB)
    lacking = (power + _SILENT) * (10 ** (gain_db / 10) - 10 ** (limited / 10))
    noise_db = 10 * np.log10(lacking / np.diff(BAND_EDGES)[:, None] * MDCT_BANDS + _SILENT)
    alike = _correlation(residual)
    shared, own = (rng.standard_normal(shape, np.float32) for shape in (residual[:1].shape, residual.shape))
    noise = np.float32(np.sqrt(alike)) * shared + np.float32(np.sqrt(1 - alike)) * own
    filling = with_band_gain(noise, noise_db + level_db)
    filling[:, : len(_RISE)] *= _RISE
    return filling


def _correlation(audio: Audio) -> float:
    """Return how alike the first two channels are, 0 to 1; 1 where there is one, or one is silent."""
    if len(audio) == 1 or not all(side.any() for side in audio[:2]):
        return 1.0
    return float(np.clip(np.corrcoef(audio[0], audio[1])[0, 1], 0, 1))


def _decibels(power: Array) -> Array:
    return np.asarray(np.maximum(10 * np.log10(power + _SILENT), FLOOR_DB - 20))


def _level_db(power: Array) -> Array:
    """Return the level (frames,) of power (GROUPS, frames)."""
    return np.asarray(np.maximum(10 * np.log10(power.sum(axis=0) + _SILENT), FLOOR_DB))


def _denoised(
    generator: Generator,
    residual: Audio,
    label: int,
    start: float,
    rng: np.random.Generator,
    *,
    steps: int | None,
    guidance: float,
) -> Audio:
    """Return a residual (channels, frames) noised to time `start` and denoised as of class `label`."""
    card, count = generator.card, len(residual)
    head = np.ascontiguousarray(residual[:, : card.hit_frames])
    noise = rng.standard_normal((count, card.bands, card.mdct_frames), np.float32)
    if count == 2:
        noise = correlated_sides(noise, band_correlation(head, card.bands)[:, None])
    made = generator.run(
        count,
        label,
        hit=head,
        has_hit=np.ones(count, np.float32),
        # Nothing is repeated of the residual but what is left of it under the noise.
        coherence=np.zeros((count, *card.coherence_size), np.float32),
        noise=noise,
        schedule=np.float32(start) * schedule(max(1, card.default_steps if steps is None else steps)),
        guidance=np.asarray(guidance, np.float32),
    )[0]
    attack = Attack.of(head)
    attack.limit_rise(made)
    attack.match_level(made)
    if residual.shape[1] == card.hit_frames:
        return made
    fade = np.linspace(0, np.pi / 2, _CROSSFADE, dtype=np.float32)
    joined = residual.copy()
    joined[:, : card.hit_frames - _CROSSFADE] = made[:, :-_CROSSFADE]
    joined[:, card.hit_frames - _CROSSFADE : card.hit_frames] *= np.sin(fade)
    joined[:, card.hit_frames - _CROSSFADE : card.hit_frames] += made[:, -_CROSSFADE:] * np.cos(fade)
    return joined


def _finished(parts: HitParts, whole: Audio) -> Audio:
    """Return a hit with the silence before it, at the level that it had, ended where it is inaudible."""
    whole = whole / np.float32(max(float(np.abs(whole).max()), _SILENT))
    loudest = np.abs(whole).max(axis=0)
    frames = len(ended(loudest))
    kept = np.stack([_faded(channel[:frames]) for channel in whole]) * np.float32(parts.peak)
    return np.concatenate([parts.lead, kept], axis=1)


def _faded(channel: Audio) -> Audio:
    end = min(len(channel), 441)
    faded = channel.copy()
    faded[len(channel) - end :] *= np.cos(np.linspace(0, np.pi / 2, end, dtype=np.float32)) ** 2
    return faded
