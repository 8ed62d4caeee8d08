"""A hit becomes another kind of drum."""

from collections.abc import Collection
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.dsp.conversion import resample
from ghostnote.bridge.dsp.partials import RATE
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.inference.model import Generator
from ghostnote.bridge.kinds import KIND_NAMES, find_class, find_kind
from ghostnote.bridge.tools.hit_parts import HitParts
from ghostnote.bridge.tools.target_drum import draw_drum, target_drum
from ghostnote.bridge.tools.toward import Move, moved

Audio = NDArray[np.float32]

KEEPS: Final = ("pitch", "envelope")
"""What a transfer can keep of a hit."""
_STREAM: Final = 5


def transfer(
    generator: Generator,
    hit: Audio,
    rate: int,
    drum_class: str,
    strength: float = 0.8,
    *,
    kind: str | None = None,
    keep: Collection[str] = (),
    seed: int = 0,
    steps: int | None = None,
    guidance: float = 1.0,
) -> Audio:
    """Return a hit (channels, frames) at `rate` Hz as a drum of another class; the seed decides which.

    At strength 0 it is the hit, at 1 the other drum. The timbre goes ahead of the envelope, which is how the result
    still goes with the hit. `keep` holds names of KEEPS. With 0 steps the network is left out. `InputError` for an
    unknown class, kind or part, for silence, or a number out of its range.
    """
    name = find_class(drum_class)
    kind = None if kind is None else find_kind(kind, name).name
    check_transfer(strength, keep)
    if strength == 0:
        return hit.copy()
    rng, label = np.random.default_rng([_STREAM, seed]), generator.card.classes.index(name)
    parts = HitParts.of(resample(hit, rate, RATE))
    described = draw_drum(generator, label, rng, kind=kind, t60=parts.described()[1])
    drum = target_drum(generator, label, described, rng)
    move = transfer_move(strength, keep)
    return resample(moved(generator, parts, drum, move, rng, steps=steps, guidance=guidance), RATE, rate)


def target_of(text: str) -> tuple[str, str | None]:
    """Return the class, and the kind if it is one, that a name means; `InputError` for any other."""
    name = text.strip().lower().replace(" ", "_").replace("-", "_")
    if name in CLASS_NAMES:
        return name, None
    if name in KIND_NAMES:
        found = find_kind(name)
        return found.drum_class, found.name
    return find_class(text), None


def transfer_move(strength: float, keep: Collection[str] = ()) -> Move:
    """Return how far each property goes at a strength of 0 to 1."""
    timbre = float(np.sin(strength * np.pi / 2))
    level = 0.0 if "envelope" in keep else strength
    return Move(timbre, timbre, timbre, 0.0 if "pitch" in keep else timbre, level)


def check_transfer(strength: float, keep: Collection[str]) -> None:
    """Raise `InputError` for a strength that is out of its range, or a part that cannot be kept."""
    if not 0 <= strength <= 1:
        raise InputError(f"strength is {strength:g}: choose 0, the hit itself, to 1, the other drum")
    unknown = sorted(set(keep) - set(KEEPS))
    if unknown:
        raise InputError(f"'{unknown[0]}' cannot be kept in a transfer: choose {' or '.join(KEEPS)}")
