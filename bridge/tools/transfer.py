"""A hit becomes another kind of drum."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.dsp.conversion import resample
from ghostnote.bridge.dsp.partials import RATE
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.inference.model import Generator
from ghostnote.bridge.io.arguments import check_seed
from ghostnote.bridge.kinds import KIND_NAMES, classes_like, find_class, find_kind, plain_name
from ghostnote.bridge.tools.arguments import check_steps, checked
from ghostnote.bridge.tools.hit_parts import HitParts
from ghostnote.bridge.tools.target_drum import draw_drum, target_drum
from ghostnote.bridge.tools.toward import Move, moved

Audio = NDArray[np.float32]

KEEPS: Final = ("pitch", "envelope")
"""What a transfer can keep of a hit."""
_STREAM: Final = 5


@dataclass(frozen=True)
class TransferSettings:
    """What a hit becomes."""

    drum_class: str
    """A name of `drums.CLASS_NAMES`."""
    kind: str | None = None
    """A name of `kinds.KINDS`, of that class; None for any."""
    strength: float = 0.8
    """0 is the hit, 1 the other drum."""
    keep: tuple[str, ...] = ()
    """Names of KEEPS: what stays as it is."""
    seed: int = 0
    """Decides which drum of the class."""
    steps: int | None = None
    """Diffusion steps; None is the model's default, 0 leaves the network out."""
    guidance: float = 1.0
    """Classifier-free guidance; 1 is none."""


def transfer(hit: ArrayLike, rate: int, settings: TransferSettings, generator: Generator | None = None) -> Audio:
    """Return a hit (channels, frames) at `rate` Hz on its way to a drum of another class.

    The timbre goes ahead of the envelope, by which the result still goes with the hit. Without a generator the shipped
    model is opened. `InputError` for an unknown class, kind or part, for silence, or a number out of its range.
    """
    return transfer_steps(hit, rate, settings, [settings.strength], generator)[0]


def transfer_steps(
    hit: ArrayLike,
    rate: int,
    settings: TransferSettings,
    strengths: Sequence[float],
    generator: Generator | None = None,
) -> list[Audio]:
    """Return the hit at several strengths on its way to one drum; all else is as in `transfer`."""
    name = find_class(settings.drum_class)
    kind = None if settings.kind is None else find_kind(settings.kind, name).name
    for strength in strengths:
        check_transfer(replace(settings, strength=strength))
    audio, generator = checked(hit, rate), generator or Generator.open()
    rng, label = np.random.default_rng([_STREAM, settings.seed]), generator.card.classes.index(name)
    parts = HitParts.of(resample(audio, rate, RATE))
    described = draw_drum(generator, label, rng, kind=kind, t60=parts.described()[1])
    drum = target_drum(generator, label, described, rng)

    def step(strength: float) -> Audio:
        if strength == 0:
            return audio.copy()
        noise, move = np.random.default_rng([_STREAM, settings.seed, 1]), transfer_move(strength, settings.keep)
        made = moved(generator, parts, drum, move, noise, steps=settings.steps, guidance=settings.guidance)
        return resample(made, RATE, rate)

    return [step(strength) for strength in strengths]


def target_of(text: str) -> tuple[str, str | None]:
    """Return the class, and the kind if it is one, that a name means; `InputError`, with all names, for any other."""
    name = plain_name(text)
    if name in CLASS_NAMES:
        return name, None
    if name in KIND_NAMES:
        found = find_kind(name)
        return found.drum_class, found.name
    if classes_like(text):
        return find_class(text), None
    close = get_close_matches(name, (*CLASS_NAMES, *KIND_NAMES), 1)
    advice = f"did you mean {close[0]}? " if close else ""
    raise InputError(
        f"'{text}' is neither a class nor a kind of drum: {advice}classes are {', '.join(CLASS_NAMES)}; "
        f"kinds are {', '.join(KIND_NAMES)}"
    )


def transfer_move(strength: float, keep: Collection[str] = ()) -> Move:
    """Return how far each property goes at a strength of 0 to 1."""
    timbre = float(np.sin(strength * np.pi / 2))
    level = 0.0 if "envelope" in keep else strength
    return Move(timbre, timbre, timbre, 0.0 if "pitch" in keep else timbre, level)


def check_transfer(settings: TransferSettings) -> None:
    """Raise `InputError` for a number that is out of its range, or a part that cannot be kept."""
    check_seed(settings.seed)
    check_steps(settings.steps)
    if not 0 <= settings.strength <= 1:
        raise InputError(f"strength is {settings.strength:g}: choose 0, the hit itself, to 1, the other drum")
    unknown = sorted(set(settings.keep) - set(KEEPS))
    if unknown:
        raise InputError(f"'{unknown[0]}' cannot be kept in a transfer: choose {' or '.join(KEEPS)}")
