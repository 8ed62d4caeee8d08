"""What each sound tool of the page does with what it is given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.classify.classifier import class_by_sound

if TYPE_CHECKING:
    from ghostnote.bridge.inference.model import Generator
    from ghostnote.bridge.tools.slice import Stroke

Audio = NDArray[np.float32]
OpenModel = Callable[[], "Generator"]


@dataclass(frozen=True, eq=False)
class Task:
    """What a tool is given."""

    audio: Audio
    """A hit (channels, frames)."""
    rate: int
    """Of both hits, in Hz."""
    values: Mapping[str, float]
    """By the names of the tool's sliders."""
    drum_class: str = ""
    """What a hit is to become."""
    other: Audio | None = None
    """The second hit of tools that take two."""

    @property
    def second(self) -> Audio:
        """The second hit, of tools that take two."""
        assert self.other is not None
        return self.other


@dataclass(frozen=True, eq=False)
class Made:
    """One sound that a tool made."""

    audio: Audio
    """(channels, frames)."""
    rate: int
    name: str = ""
    """What tells it from others that were made with it."""
    drum_class: str = ""
    stroke: "Stroke | None" = None
    """The stroke of a loop that it is."""


Run = Callable[[Task, OpenModel], tuple[Made, ...]]
"""Makes sounds of hits, by the model where it needs that; `GhostnoteError`."""


def transfer_hit(task: Task, model: OpenModel) -> tuple[Made, ...]:
    """Make another kind of drum of a hit."""
    from ghostnote.bridge.tools.transfer import TransferSettings, transfer

    settings = TransferSettings(task.drum_class, strength=task.values["strength"], seed=int(task.values["seed"]))
    return (Made(transfer(task.audio, task.rate, settings, model()), task.rate, drum_class=task.drum_class),)


def tweak_hit(task: Task, _: OpenModel) -> tuple[Made, ...]:
    """Change qualities of a hit."""
    from ghostnote.bridge.dsp.sliders import Sliders
    from ghostnote.bridge.tools.tweak import tweak

    return (Made(tweak(task.audio, task.rate, Sliders(**task.values)), task.rate),)


def extend_hit(task: Task, _: OpenModel) -> tuple[Made, ...]:
    """Let a hit ring on."""
    from ghostnote.bridge.tools.extend import extend

    return (Made(extend(task.audio, task.rate, task.values["seconds"]), task.rate),)


def widen_hit(task: Task, model: OpenModel) -> tuple[Made, ...]:
    """Make a hit stereo."""
    from ghostnote.bridge.tools.widen import Width, widen

    width = Width(task.values["width"], task.values["mono_below"])
    drum_class = class_by_sound(task.audio, task.rate).drum_class
    return (Made(widen(task.audio, task.rate, drum_class, width, generator=model()), task.rate),)


def upsample_hit(task: Task, model: OpenModel) -> tuple[Made, ...]:
    """Give a dull hit a top."""
    from ghostnote.bridge.tools.upsample import upsample

    drum_class = class_by_sound(task.audio, task.rate).drum_class
    above = task.values["above"] or None
    made = upsample(task.audio, task.rate, drum_class, above=above, generator=model())
    return (Made(made.audio, made.rate),)


def repair_hit(task: Task, _: OpenModel) -> tuple[Made, ...]:
    """Mend what is broken of a hit."""
    from ghostnote.bridge.tools.repair import repair

    return (Made(repair(task.audio, task.rate).audio, task.rate),)


def morph_hits(task: Task, _: OpenModel) -> tuple[Made, ...]:
    """Make drums between two hits, both included."""
    from ghostnote.bridge.tools.morph import morph_steps

    count = int(task.values["count"])
    steps = morph_steps(task.audio, task.second, task.rate, count, curve=task.values["curve"])
    return tuple(Made(step, task.rate, f"{number} of {count}") for number, step in enumerate(steps, 1))


def join_hits(task: Task, _: OpenModel) -> tuple[Made, ...]:
    """Let a hit become another while it rings."""
    from ghostnote.bridge.tools.morph import transition

    start, seconds = task.values["start"], task.values["seconds"]
    return (Made(transition(task.audio, task.second, task.rate, start=start, seconds=seconds), task.rate),)


def slice_hits(task: Task, _: OpenModel) -> tuple[Made, ...]:
    """Cut a loop into its strokes."""
    from ghostnote.bridge.tools.slice import slice_loop

    strokes = slice_loop(task.audio, task.rate)
    digits = len(str(len(strokes)))
    return tuple(
        Made(stroke.audio, task.rate, f"{number:0{digits}} {_drums(stroke)}", stroke.classes[0], stroke)
        for number, stroke in enumerate(strokes, 1)
    )


def _drums(stroke: "Stroke") -> str:
    return " and ".join(name.replace("_", " ") for name in stroke.classes)
