"""Many new drums of a class, spread out or near a given one."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ghostnote.bridge.classify.features import features, mono_for_features
from ghostnote.bridge.dsp.conversion import resample
from ghostnote.bridge.dsp.partials import RATE
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.inference.model import Generator
from ghostnote.bridge.inference.stroke_source import described_drum, generate_drum
from ghostnote.bridge.io.arguments import check_seed, check_whole
from ghostnote.bridge.kinds import find_class, find_kind
from ghostnote.bridge.tools.arguments import check_steps, checked
from ghostnote.bridge.tools.description import brightness_hz, pitch_hz
from ghostnote.bridge.tools.hit_parts import HitParts, description_of
from ghostnote.bridge.tools.spread import TrainingDrums, farthest_first, point_of
from ghostnote.bridge.tools.target_drum import target_drum
from ghostnote.bridge.tools.toward import Move, moved

Audio = NDArray[np.float32]
Array = NDArray[np.float64]

KEEPS: Final = ("partials", "body", "tail")
"""What of a hit can stay as it is."""
_POOL: Final = 1.25
"""Drums that are described for each that is made: with more they are more diverse than a corpus's."""
_LEAST_POOL: Final = 8
_MOST_POOLS: Final = 4
"""Where many of a pool are left out, the next one follows."""
_DUPLICATE_DB: Final = 2.0
"""Sounds that are nearer to each other are the same."""
_STREAM: Final = 6
_MOST_COUNT: Final = 100_000


@dataclass(frozen=True)
class ExploreSettings:
    """Which drums to make."""

    drum_class: str
    """A name of `drums.CLASS_NAMES`."""
    kind: str | None = None
    """A name of `kinds.KINDS`, of that class; None for any."""
    count: int = 64
    """How many."""
    seed: int = 0
    """The first drum's seed; the others are among the next ones."""
    near: float = 0.7
    """How near the given hit: 1 is the hit itself, at 0 nothing is left of it."""
    keep: tuple[str, ...] = ()
    """Names of KEEPS: parts of the given hit that stay as they are."""
    steps: int | None = None
    """Diffusion steps; None is the model's default."""
    guidance: float = 1.0
    """Classifier-free guidance; 1 is none."""


@dataclass(frozen=True, eq=False)
class FoundDrum:
    """A drum, and what a sheet says of it."""

    audio: Audio
    """(channels, frames) at the model's rate."""
    seed: int
    seconds: float
    pitch_hz: float | None
    """None where little of it rings."""
    brightness_hz: float
    """The centroid of its spectrum."""


def explore(
    settings: ExploreSettings, like: ArrayLike | None = None, rate: int = RATE, generator: Generator | None = None
) -> Iterator[FoundDrum]:
    """Return an iterator over new drums, spread out, or near the hit `like` (channels, frames) at `rate` Hz.

    Drums are described before they are made, five for each four that are wanted, and those farthest from each other are
    made.
    Without `like`, `generate_drum` makes the same of their seeds. Left out are sounds that are nearly the same, and
    those whose levels and decays are a training drum's, as far as the model's card describes those; so there may be
    fewer, and there is one alone where nothing of `like` moves. Without a generator the shipped model is opened.
    `InputError` for an unknown class, kind or part, or a number out of its range.
    """
    settings = replace(settings, drum_class=find_class(settings.drum_class))
    if settings.kind is not None:
        settings = replace(settings, kind=find_kind(settings.kind, settings.drum_class).name)
    _check(settings, is_alone=like is None)
    parts = None if like is None else HitParts.of(resample(checked(like, rate), rate, RATE))
    return _found(generator or Generator.open(), settings, parts)


def _check(settings: ExploreSettings, *, is_alone: bool) -> None:
    check_seed(settings.seed)
    check_steps(settings.steps, 1)
    check_whole("count", settings.count, 1, _MOST_COUNT)
    unknown = sorted(set(settings.keep) - set(KEEPS))
    if unknown:
        raise InputError(f"'{unknown[0]}' cannot be kept of a drum: choose from {', '.join(KEEPS)}")
    if settings.keep and is_alone:
        raise InputError(f"{settings.keep[0]} cannot be kept of no drum: say which it is like")
    if not 0 <= settings.near <= 1:
        raise InputError(f"near is {settings.near:g}: choose 0, any drum of the class, to 1, the hit itself")


def _found(generator: Generator, settings: ExploreSettings, parts: HitParts | None) -> Iterator[FoundDrum]:
    training = TrainingDrums(generator.card.drums, generator.card.classes.index(settings.drum_class))
    limit_db = _DUPLICATE_DB * (1.0 if parts is None else 1 - settings.near)
    count = 1 if parts is not None and explore_move(settings).is_none else settings.count
    accepted: list[Array] = []
    for seed in _seeds(generator, settings):
        audio = _made(generator, settings, parts, seed)
        sound = features(mono_for_features(audio, RATE))
        if any(np.sqrt(np.square(sound - other).mean()) < limit_db for other in accepted):
            continue
        if parts is None and training.has_copy(*description_of(audio, generator.card.hit_frames)):
            continue
        accepted.append(sound)
        yield FoundDrum(audio, seed, audio.shape[1] / RATE, pitch_hz(audio, RATE), brightness_hz(audio, RATE))
        if len(accepted) == count:
            return


def _seeds(generator: Generator, settings: ExploreSettings) -> Iterator[int]:
    """Yield seeds of drums that differ, each the most from those before it, pool by pool."""
    count = max(_LEAST_POOL, math.ceil(_POOL * settings.count))
    for first in range(settings.seed, settings.seed + _MOST_POOLS * count, count):
        pool = range(first, first + count)
        drums = [described_drum(generator.card, settings.drum_class, seed, settings.kind) for seed in pool]
        points = [point_of(drum) for drum in drums if drum is not None]
        if len(points) < len(pool):
            if settings.kind is not None:
                raise InputError(f"the model has no {settings.kind}: its corpus had none")
            yield from pool
        else:
            for place in farthest_first(np.array(points)):
                yield pool[place]


def _made(generator: Generator, settings: ExploreSettings, parts: HitParts | None, seed: int) -> Audio:
    name, kind = settings.drum_class, settings.kind
    if parts is None:
        return generate_drum(generator, name, seed, kind=kind, steps=settings.steps, guidance=settings.guidance)[None]
    rng, label = np.random.default_rng([_STREAM, seed]), generator.card.classes.index(name)
    drum = target_drum(generator, label, described_drum(generator.card, name, seed, kind), rng)
    return moved(generator, parts, drum, explore_move(settings), rng, steps=settings.steps, guidance=settings.guidance)


def explore_move(settings: ExploreSettings) -> Move:
    """Return how far each property of a hit goes to a drawn drum's."""
    far = 1 - settings.near
    partials, body, tail = (0.0 if name in settings.keep else far for name in KEEPS)
    return Move(partials, body, tail, partials, far)
