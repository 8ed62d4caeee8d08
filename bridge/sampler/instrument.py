"""A sampler kit as plain data, which the writers of the formats share."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ghostnote.bridge.kit.choke import choked_by

MOST_CHANNELS: Final = 2
"""Channels of a sample; more are mixed down."""
CREDITS_FILE: Final = "CREDITS-MODEL.txt"
"""The file of a kit that names the makers of the model's training recordings."""
_MODEL_CREDITS: Final = """\
Whose recordings the model learnt from

The strokes in this kit were made by ghostnote's model. It was trained on these recordings, each with its licence and \
source:

{}

Changes: for the training the recordings were trimmed, resampled and scaled in level. None of them is in this kit.

If you sell or share this kit: the strokes of your own sample are yours, under the licence that you choose for them, \
and CC BY asks for a mention of the recordings above only where that licence's own terms do; keeping this file beside \
the kit is such a mention.
"""


@dataclass(frozen=True)
class Sample:
    """One stroke's sound file."""

    file: str
    """Its path inside the kit, with forward slashes."""
    origin: Path
    """The file it is made from."""
    channels: int
    """1 or 2."""


@dataclass(frozen=True)
class Layer:
    """A velocity layer: round robins for a range of velocities."""

    low: int
    high: int
    samples: tuple[Sample, ...]
    """Round robins, in order."""


@dataclass(frozen=True)
class Instrument:
    """One drum."""

    name: str
    drum_class: str
    notes: tuple[int, ...]
    """MIDI notes; formats with one note an instrument take the first."""
    choke: str | None
    """The choke group: instruments that share this word silence one another."""
    layers: tuple[Layer, ...]
    """From the softest to the hardest; together they cover all velocities from 1 to 127."""
    gain_db: float = 0.0
    """What its samples are turned up or down by as they are written."""

    @property
    def has_velocity_layers(self) -> bool:
        """Whether the samples have the levels of their velocities, so that a sampler must not apply them again."""
        return len(self.layers) > 1


@dataclass(frozen=True)
class SamplerKit:
    """Instruments under one name."""

    name: str
    instruments: tuple[Instrument, ...]
    rate: int
    """Of all samples, in Hz."""
    author: str = ""
    licence: str = ""
    credits: tuple[str, ...] = ()
    """Who recorded what the model was trained on, one line each."""

    def choked_by_stroke(self, striker: Instrument) -> tuple[Instrument, ...]:
        """Return the instruments whose voices a stroke on `striker` ends."""
        choked = choked_by(self.instruments, self.instruments.index(striker))
        return tuple(self.instruments[at] for at in choked)

    @property
    def choke_groups(self) -> dict[str, int]:
        """Return each choke group's number, from 1, in the order of the instruments."""
        words = dict.fromkeys(i.choke for i in self.instruments if i.choke)
        return {word: number for number, word in enumerate(words, 1)}

    @property
    def info(self) -> tuple[str, ...]:
        """Return lines on where the kit comes from."""
        model = (f"{CREDITS_FILE} names whose recordings the model learnt from.",) if self.credits else ()
        return ("Made with ghostnote: every round robin is a stroke of its own.", *model)

    @property
    def model_credits(self) -> str:
        """Return the text of `CREDITS_FILE`."""
        lines = []
        for line in self.credits:
            versions = dict.fromkeys(re.findall(r"CC[ -]BY[ -](\d\.\d)", line))
            links = "".join(f", https://creativecommons.org/licenses/by/{version}/" for version in versions)
            lines.append(f"- {line}{links}")
        return _MODEL_CREDITS.format("\n".join(lines))
