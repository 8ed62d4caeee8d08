"""The sounds that a tool works on, and what it makes of them."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ghostnote.bridge.dsp.conversion import resample
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.audio_file import read_audio
from ghostnote.bridge.io.hit_files import distinct_name, hit_files
from ghostnote.bridge.page.drum_map import Sound
from ghostnote.bridge.page.hub import Hub
from ghostnote.bridge.page.studio import Studio
from ghostnote.bridge.page.tool_runs import Made, Task
from ghostnote.bridge.page.tool_table import TOOLS, Tool
from ghostnote.bridge.sampler.write import safe_name
from ghostnote.bridge.tools.loop_kit import DEFAULT_BPM, write_loop
from ghostnote.bridge.tools.slice import Stroke
from ghostnote.bridge.tools.tempo import estimated_bpm

SIDES: Final = ("before", "other")
"""What tools work on: one sound, and the second one of those that take two."""
_AFTER: Final = "after"


class Bench:
    """The sounds of all browsers, and what the last tool made of them."""

    def __init__(self, hub: Hub, studio: Studio) -> None:
        """Start without a sound."""
        self._hub, self._studio = hub, studio
        self.given: dict[str, Sound] = {}
        """By `SIDES`, as far as they are there."""
        self._pads: dict[str, str] = {}
        """The names in addresses of the pads whose own drums they are, by `SIDES`."""
        self.after: tuple[Sound, ...] = ()
        """What the last tool made."""
        self._made: tuple[Made, ...] = ()
        self._tool = ""
        self._version = 0
        self._working = ""
        hub.tell({"type": "tools", "tools": [tool.described() for tool in TOOLS.values()]})
        self.tell()

    def take(self, sound: Sound, side: str = SIDES[0], pad: str = "") -> None:
        """Work on a sound from now on, which is the drum of a pad if one is named; `InputError` for an unknown side."""
        if side not in SIDES:
            raise InputError(f"{side[:40]!r} is not a side: choose {' or '.join(SIDES)}")
        self.given[side], self._pads[side] = sound, pad
        self.after = self._made = ()
        self._version += 1
        self.tell()

    def sound(self, place: str) -> Sound:
        """Return the sound of a side, or of `after-N` for what was made, from 0; `InputError` where there is none."""
        side, _, number = place.partition("-")
        if side == _AFTER and number.isascii() and number.isdigit() and int(number) < len(self.after):
            return self.after[int(number)]
        if place not in self.given:
            raise InputError("there is no such sound: drop one first")
        return self.given[place]

    async def work(self, name: str, given: Mapping[str, Any]) -> None:
        """Let a tool make the sounds of after; `GhostnoteError` for what it cannot."""
        if name not in TOOLS:
            raise InputError(f"{name[:40]!r} is not a tool: choose {', '.join(TOOLS)}")
        values, drum_class = TOOLS[name].checked(given)
        before, other, version = self.sound("before"), self._second(TOOLS[name]), self._version
        if self._working:
            raise InputError(f"{self._working} is at work still: wait for it")
        self._working = name
        self.tell()
        try:
            second = await asyncio.to_thread(resample, other.audio, other.rate, before.rate) if other else None
            made = await self._studio.work(name, Task(before.audio, before.rate, values, drum_class, second))
        finally:
            self._working = ""
            self.tell()
        # What was dropped meanwhile is not what this was made of.
        if version == self._version:
            self._made, self._tool = made, name
            self.after = tuple(_named(each, before, name) for each in made)
            self._version += 1
            self.tell()

    async def write_kit(self, kits: Path) -> tuple[str, list[str]]:
        """Make a kit of the strokes of a loop in the kits' folder; `GhostnoteError`.

        Return its name there, and what its player should know.
        """
        strokes = [made.stroke for made in self._made if made.stroke]
        if not strokes:
            raise InputError("there are no strokes of a loop: slice one first")
        return await asyncio.to_thread(_written_kit, strokes, self._made[0].rate, self.given["before"].name, kits)

    def tell(self) -> None:
        """Tell all browsers what lies there."""
        sides = {
            side: {"name": sound.name, "seconds": sound.seconds, "pad": self._pads[side]}
            for side, sound in self.given.items()
        }
        after = [
            {
                "name": made.name,
                "file": sound.name,
                "seconds": sound.seconds,
                "class": sound.drum_class,
                "start": made.stroke.start / made.rate if made.stroke else None,
            }
            for made, sound in zip(self._made, self.after, strict=True)
        ]
        of_tool = {"tool": self._tool, _AFTER: after}
        self._hub.tell({"type": "bench", "version": self._version, "working": self._working, **sides, **of_tool})

    def _second(self, tool: Tool) -> Sound | None:
        """Return the second sound of a tool that takes two; `InputError`."""
        if tool.takes_two and "other" not in self.given:
            raise InputError(f"{tool.name} takes two sounds: drop a second one")
        return self.given["other"] if tool.takes_two else None


def first_sound(folder: Path) -> Sound:
    """Return the first sound of a folder; `InputError`."""
    files = hit_files(folder)
    if not files:
        raise InputError("no sound was dropped")
    audio, rate = read_audio(files[0])
    return Sound(files[0].stem, audio, rate, "")


def _written_kit(strokes: Sequence[Stroke], rate: int, loop: str, kits: Path) -> tuple[str, list[str]]:
    """Write the kit of a loop under a free name; all else is as in `Bench.write_kit`."""
    name = distinct_name(safe_name(loop), {path.stem.casefold() for path in kits.iterdir()})
    times = [stroke.start / rate for stroke in strokes]
    bpm = estimated_bpm(times, [stroke.velocity for stroke in strokes])
    written = write_loop(strokes, rate, kits / name, name, bpm=bpm or DEFAULT_BPM, with_kit=True)
    notes = [] if bpm else [f"no tempo fits the strokes, so that {written.midi.name} has {DEFAULT_BPM:g}"]
    return f"{name}/{name}.toml", [*notes, *written.notes]


def _named(made: Made, before: Sound, tool: str) -> Sound:
    name = " ".join(part for part in (before.name, tool, made.name) if part)
    return Sound(name, made.audio, made.rate, made.drum_class or ("" if made.name else before.drum_class))
