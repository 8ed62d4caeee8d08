"""A drum that other hits are moved towards: drawn like a new one, but for the network's noise."""

from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.ringing import synthesize
from ghostnote.bridge.dsp.shape import (
    BANDS,
    GROUPS,
    HOP_FRAMES,
    RATE,
    audio_power,
    describe_bands,
    group_power,
    scaled,
    to_bands,
    to_groups,
    without_gate,
)
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.inference.drum_plan import Plan, plan_drum
from ghostnote.bridge.inference.drum_table import Drum
from ghostnote.bridge.inference.model import Generator
from ghostnote.bridge.inference.new_drum import PITCHED, moved_shape, residual_db, synthesize_modes
from ghostnote.bridge.tools.spread import typicality

Audio = NDArray[np.float32]
Array = NDArray[np.float64]

_LONGEST_SECONDS: Final = 3.0
"""More of a drum is not needed: what is moved towards it goes on by the decay times."""
_DRAWN: Final = 32
_TYPICAL: Final = 3
"""Of so many drums that are drawn, so many are typical; of those the one that decays most like a hit is taken."""
_SHAPE_STEPS: Final = 12
"""Its levels and decays are those of the description: what is left for the shape are the finer courses."""
_SILENT: Final = 1e-18
_FLOOR_DB: Final = -40.0


@dataclass(frozen=True, eq=False)
class TargetDrum:
    """A drum in the parts that others are moved towards, of power 1 at its loudest moment."""

    label: int
    """Its class."""
    partials: Audio
    """(frames,)."""
    power: Array
    """Of its residual, (GROUPS, frames of a shape)."""
    t60: Array
    """How its bands decay after that, (BANDS,) seconds."""
    hz: float | None
    """The frequency of its strongest partial."""

    def power_until(self, frames: int) -> Array:
        """Return the residual's power (GROUPS, frames), which goes on as it decays."""
        known = self.power[:, :frames]
        later = np.arange(1, frames - known.shape[1] + 1) * HOP_FRAMES / RATE
        fall = 10 ** (-6 * later / to_groups(self.t60)[:, None])
        return np.concatenate([known, known[:, -8:].mean(axis=1, keepdims=True) * fall], axis=1)


def draw_drum(
    generator: Generator, label: int, rng: np.random.Generator, *, kind: str | None = None, t60: Array | None = None
) -> Drum | None:
    """Return the description of a drum of a class or kind: of typical ones the one that decays most like `t60`.

    A drum is typical so far as the drums that are described most alike are of its class. None where the model's table
    has none of the class; `InputError` where it has none of the kind.
    """
    table = generator.card.drums
    drawn = [table.draw(rng, label, kind) for _ in range(_DRAWN)]
    drums = [drum for drum in drawn if drum is not None]
    if not drums:
        if kind is not None:
            raise InputError(f"the model has no {kind}: its corpus had none")
        return None
    typical = typicality(table, label, drums)
    best: list[Drum] = [drums[i] for i in np.argsort(-typical, kind="stable")[:_TYPICAL].tolist()]
    return best[0] if t60 is None else min(best, key=partial(_apart, t60))


def target_drum(generator: Generator, label: int, drum: Drum | None, rng: np.random.Generator) -> TargetDrum:
    """Return the drum of a description, or without one any of the class; `rng` draws what it leaves open."""
    shape = generator.draw_shapes(rng, 1, label=label, steps=_SHAPE_STEPS)[0]
    shape = np.concatenate([without_gate(shape[:GROUPS]), shape[GROUPS:]])
    if drum is None:
        drum = Drum(*describe_bands(to_bands(group_power(shape[:GROUPS]))), np.zeros(BANDS), np.zeros((0, 3)))
    else:
        shape = moved_shape(shape, drum)
    name = generator.card.classes[label]
    plan = plan_drum(shape, drum, rng, pitched=name in PITCHED)
    head = generator.card.hit_frames
    frames = max(head, int(min(plan.seconds, _LONGEST_SECONDS) * RATE))
    modes = synthesize_modes(plan, frames)
    left_db = residual_db(
        shape, modes[:head], plan.cloud_power, beside_tone=drum.prominence_db[0] if name == PITCHED[0] else None
    )
    partials = modes + synthesize(plan.cloud, frames, RATE)
    power = group_power(scaled(shape[:GROUPS], left_db))
    loudest = float((power + audio_power(partials[:head])).sum(axis=0).max()) + _SILENT
    scaled_partials = partials / np.float32(np.sqrt(loudest))
    return TargetDrum(label, scaled_partials, power / loudest, plan.t60, _main_hz(plan))


def _main_hz(plan: Plan) -> float | None:
    """Return the frequency of a drum's tone, or else of the mode with the most energy."""
    if plan.tone is not None:
        return float(np.average(plan.tone.hz, weights=np.square(plan.tone.amplitude) + _SILENT))
    lines = plan.lines
    return float(lines.hz[int((np.square(lines.amplitude) * lines.t60).argmax())]) if lines.hz.size else None


def _apart(t60: Array, drum: Drum) -> float:
    """Return how far a drum decays otherwise, in octaves, by the bands that are audible."""
    weight = np.maximum(drum.level_db - _FLOOR_DB, 1)
    return float((weight * np.abs(np.log2(drum.t60 / t60))).sum() / weight.sum())
