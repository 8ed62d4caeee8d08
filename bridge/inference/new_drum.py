"""A new drum in two parts: partials that are drawn as parameters, and a residual that the network invents.

The model draws the whole drum's envelope, and for kicks and toms the course of its pitch. What the partials take of the
envelope is taken from it, and the network fills the rest. Both go on past the model's 0.743 s as they decay.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.dsp.low_spectrum import RAISED_DB, with_low_levels
from ghostnote.bridge.dsp.minimum_phase import equalized
from ghostnote.bridge.dsp.noise_tail import continued_noise
from ghostnote.bridge.dsp.ringing import synthesize, synthesize_glide
from ghostnote.bridge.dsp.shape import (
    BAND_EDGES,
    BANDS,
    GROUPS,
    HOP_FRAMES,
    MDCT_BANDS,
    RATE,
    T60_SECONDS,
    audio_power,
    between_bands,
    describe_bands,
    group_power,
    scaled,
    to_bands,
    without_gate,
)
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.inference.drum_plan import BODY_FRAME, Plan, thump_course
from ghostnote.bridge.inference.drum_table import Drum, DrumTable
from ghostnote.bridge.inference.gliding_tone import Tone
from ghostnote.bridge.inference.model import Generator

Audio = NDArray[np.float32]

PITCHED: Final = ("kick", "tom")
"""Classes whose main partial follows the pitch of the shape."""

_LOWEST: Final = "kick"
"""The class whose tone leaks most: toms have room noise around theirs."""
_RAISED_DB: Final = {"kick": 30.0, "tom": 0.0}
"""How much louder noise in the lows may get. What a tom's tone leaves around itself as it glides is no noise."""
_LONGEST_T60: Final = {"closed_hat": 1.5, "pedal_hat": 1.0, "clap": 2.0, "rim": 2.0, "snare": 2.5}
"""Seconds: what a recording's noise or its end makes of one drum in twenty is no decay."""
_ROUNDS: Final = 4
_MOST_MOVED: Final = 60.0
_MOST_SMOOTHED_DB: Final = 15.0
_NARROW: Final = 4
"""So many groups are of one band each: below the middle of the next one is nothing to smooth."""
_BAND_HZ: Final = RATE / 2 / MDCT_BANDS
_ATTACK_FRAMES: Final = 2
_LONGER: Final = (1 / 16, 16.0)
_NOTHING: Final = 1e-30
_INAUDIBLE: Final = 10 ** (-66 / 20)
_FADE_FRAMES: Final = 441
_AROUND: Final = 2
_TAKEN_OVER: Final = np.full(GROUPS, 1.1)
_TAKEN_BY_TONE: Final = np.array([6, 4, 3, 2, 1.5] + [1.1] * (GROUPS - 5))
"""More of the lowest groups is a gliding tone and what leaks of it into the groups above."""
_LEAST_REST: Final = np.array([0.003] + [0.015] * (GROUPS - 1))
_LEAST_BESIDE_TONE: Final = np.array([0.0003, 0.003] + [0.015] * (GROUPS - 2))
_THUMP_LEFT: Final = ((5.0, 12.0, 20.0, 30.0, 36.0), (0.2, 0.13, 0.04, 0.003, 0.0))
"""At first, of the group that holds the tone: by how far lines stand out there."""
_SILENT: Final = 1e-18


def choose_drum(
    table: DrumTable, shapes: Audio, rng: np.random.Generator, label: int, kind: str | None
) -> tuple[Audio, Drum]:
    """Return a shape (rows, frames) of `shapes` (count, rows, frames), and the drum that it belongs to.

    The drum is drawn first, of a kind if given; the shape is the nearest, moved to it. Shapes as they are drawn have
    the course of real ones, but vary less from drum to drum.
    """
    shapes = np.stack([np.concatenate([without_gate(shape[:GROUPS]), shape[GROUPS:]]) for shape in shapes])
    described = [describe_bands(to_bands(group_power(shape[:GROUPS]))) for shape in shapes]
    drum = table.draw(rng, label, kind)
    if drum is None:
        if kind is not None:
            raise InputError(f"the model has no {kind}: its corpus had none")
        return shapes[0], Drum(*described[0], np.zeros(BANDS), np.zeros((0, 3)))
    if label < len(CLASS_NAMES):
        drum = drum.damped(_LONGEST_T60.get(CLASS_NAMES[label], T60_SECONDS[1]))
    apart = [
        np.abs(level - drum.level_db).sum() + 6 * np.abs(np.log2(t60 / drum.t60)).sum() for level, t60 in described
    ]
    return moved_shape(shapes[int(np.argmin(apart))], drum), drum


def moved_shape(shape: Audio, drum: Drum) -> Audio:
    """Return a shape (rows, frames) whose bands are as loud, and decay as fast, as the drum's."""
    envelope = shape[:GROUPS]
    for _ in range(_ROUNDS):
        t60 = describe_bands(to_bands(group_power(envelope)))[1]
        envelope = _stretched(envelope, between_bands(drum.t60 / t60), between_bands(drum.t60))
        level = describe_bands(to_bands(group_power(envelope)))[0]
        offset = np.clip(drum.level_db - level, -_MOST_MOVED, _MOST_MOVED)[:, None]
        envelope = scaled(envelope, between_bands(np.broadcast_to(offset, (BANDS, envelope.shape[1]))))
    # Nothing is softer than the softest that the network knows.
    return np.concatenate([np.maximum(envelope, shape[:GROUPS].min()), shape[GROUPS:]])


def _stretched(envelope: Audio, longer: NDArray[np.float64], t60: NDArray[np.float64]) -> Audio:
    """Return a log envelope (GROUPS, frames) whose groups take so many times longer after their peak.

    Past its end a group decays by its `t60` (GROUPS,). A slope would raise what lies below a drum, too.
    """
    decibels = 10 * np.log10(np.maximum(group_power(envelope), _NOTHING))
    frames = np.arange(decibels.shape[1])
    gain_db = np.empty_like(decibels)
    for group, course in enumerate(decibels):
        start = min(int(course.argmax()) + _ATTACK_FRAMES, len(course) - 1)
        place = np.where(frames <= start, frames, start + (frames - start) / np.clip(longer[group], *_LONGER))
        past = np.maximum(place - frames[-1], 0) * np.clip(longer[group], *_LONGER) * (HOP_FRAMES / RATE)
        gain_db[group] = np.interp(place, frames, course) - 60 / t60[group] * past - course
    return scaled(envelope, gain_db)


def synthesize_drum(
    generator: Generator,
    shape: Audio,
    plan: Plan,
    rng: np.random.Generator,
    *,
    label: int,
    steps: int | None = None,
    guidance: float = 1.0,
) -> Audio:
    """Return the drum (frames,) of a plan, at the level of its shape."""
    frames = max(1, int(plan.seconds * RATE))
    modes = synthesize_modes(plan, max(frames, generator.card.hit_frames))
    rest = shape.copy()
    beside_tone = plan.prominence_db[0] if generator.card.classes[label] == _LOWEST else None
    left_db = residual_db(shape, modes[: generator.card.hit_frames], plan.cloud_power, beside_tone=beside_tone)
    rest[:GROUPS] = scaled(shape[:GROUPS], left_db)
    rest[GROUPS + 3 :] = 0  # No tone: the partials have it.
    head = generator.fill_shape(rest, rng, label=label, steps=steps, guidance=guidance)
    head = plan.swell.through(without_steps(head))
    partials = modes + synthesize(plan.cloud, len(modes), RATE)
    if plan.low_db is not None:
        raised_db = _RAISED_DB.get(generator.card.classes[label], RAISED_DB)
        head = with_low_levels(head, plan.low_db, partials[: len(head)], raised_db=raised_db)
    return continued_noise(head, plan.t60, frames, rng) + partials[:frames]


def without_steps(residual: Audio) -> Audio:
    """Return noise (frames of a hit,) whose spectrum goes in straight lines from group to group, not in steps."""
    edges = np.array(BAND_EDGES) * (RATE / 2 / MDCT_BANDS)
    level = 10 * np.log10(audio_power(residual).sum(axis=1) / np.diff(edges) + _SILENT)
    # The bands of a transform overlap by half.
    step_hz = np.concatenate([[0.0], *([edge - _BAND_HZ / 2, edge + _BAND_HZ / 2] for edge in edges[1:-1]), edges[-1:]])
    steps = np.repeat(level, 2)
    middles = (edges[1:] + edges[:-1]) / 2

    def gain_db(hz: NDArray[np.float64]) -> NDArray[np.float64]:
        change = np.interp(hz, middles, level) - np.interp(hz, step_hz, steps)
        return np.where(hz < middles[_NARROW], 0, np.clip(change, -_MOST_SMOOTHED_DB, _MOST_SMOOTHED_DB))

    return equalized(residual, RATE, gain_db)


def synthesize_modes(plan: Plan, frames: int) -> Audio:
    """Return the modes of a drum (frames,)."""
    modes = synthesize(plan.lines, frames, RATE)
    return modes if plan.tone is None else modes + _gliding(plan.tone, frames, plan.phase)


def residual_db(
    shape: Audio, modes: Audio, cloud_power: NDArray[np.float64] | float = 0.0, *, beside_tone: float | None = None
) -> NDArray[np.float64]:
    """Return what `modes` (frames of a hit,) and a cloud leave of a shape's power, (GROUPS, frames), in dB.

    More than they have is taken (Berouti et al. 1979): what leaks of a loud line into the groups around it, and beats,
    would become noise. `beside_tone` is how far lines stand out beside a kick's tone, whose thump is no line.
    """
    taken = audio_power(modes)
    padded = np.pad(taken, ((0, 0), (_AROUND, _AROUND)), mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * _AROUND + 1, axis=1)
    power = group_power(shape[:GROUPS]) + _SILENT
    over, least = _TAKEN_OVER, np.broadcast_to(_LEAST_REST[:, None], power.shape)
    if beside_tone is not None:
        thump = np.interp(beside_tone, *_THUMP_LEFT) * thump_course(power.shape[1])
        over = _TAKEN_BY_TONE
        least = np.broadcast_to(_LEAST_BESIDE_TONE[:, None], power.shape).copy()
        least[0] = np.maximum(least[0], thump)
    share = (over[:, None] * around.mean(axis=2) + cloud_power) / power
    # Nor are there gaps where the decay of a cloud is not quite the shape's.
    of_body = (cloud_power * np.ones_like(power))[:, BODY_FRAME:].sum(axis=1) / power[:, BODY_FRAME:].sum(axis=1)
    share[:, BODY_FRAME:] = np.maximum(share[:, BODY_FRAME:], of_body[:, None])
    return np.asarray(10 * np.log10(np.clip(1 - share, least, 1)))


def ended(hit: Audio) -> Audio:
    """Return a hit (frames,) of peak 1 without what comes after its end, faded where it is inaudible."""
    audible = np.flatnonzero(np.abs(hit) > _INAUDIBLE)
    kept = hit[: max(_FADE_FRAMES, int(audible[-1]) + 1 if audible.size else 0)].copy()
    kept[-_FADE_FRAMES:] *= np.cos(np.linspace(0, np.pi / 2, len(kept[-_FADE_FRAMES:]), dtype=np.float32)) ** 2
    kept[-1] = 0
    return kept


def _gliding(tone: Tone, frames: int, phase: float) -> Audio:
    at = np.arange(frames)
    middle = (np.arange(len(tone.hz)) + 0.5) * HOP_FRAMES
    hz = np.interp(at, middle, tone.hz)
    decibels = np.interp(at, middle, 20 * np.log10(tone.amplitude + _SILENT))
    decibels -= np.maximum(at - middle[-1], 0) * (60 / (tone.t60 * RATE))
    return synthesize_glide(hz, 10 ** (decibels / 20), phase, RATE)
