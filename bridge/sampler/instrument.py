"""A sampler kit as plain data: what every sampler's own file format says in its own words."""

from dataclasses import dataclass
from pathlib import Path

from ghostnote.bridge.kit.choke import choked_by


@dataclass(frozen=True)
class Sample:
    """One stroke's sound file."""

    file: str
    """Its name inside the kit, with forward slashes."""
    origin: Path
    """The file it is made from."""
    channels: int
    """1 or 2."""


@dataclass(frozen=True)
class Layer:
    """Strokes that take turns, within a range of velocities."""

    low: int
    high: int
    samples: tuple[Sample, ...]
    """Round robins, in their order."""


@dataclass(frozen=True)
class Instrument:
    """One drum."""

    name: str
    drum_class: str
    notes: tuple[int, ...]
    """MIDI notes, the first of which is its own in formats that know one alone."""
    choke: str | None
    """Instruments that share this word silence one another."""
    layers: tuple[Layer, ...]
    """From the softest to the hardest; together they take all velocities from 1 to 127."""

    @property
    def levelled(self) -> bool:
        """Whether the samples carry the levels of velocities, so that a sampler must not apply them again."""
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
    """Who made what the kit is made of, one line each."""

    def silenced_by(self, striker: Instrument) -> tuple[Instrument, ...]:
        """Return the instruments whose sound ends when `striker` is struck."""
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
        return ("Made with ghostnote: every round robin is a stroke of its own.", *self.credits)
