"""The sounds that a tool works on, and what it makes of them."""

from collections.abc import Mapping
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
from ghostnote.bridge.tools.loop_kit import write_loop

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
        self.after: tuple[Sound, ...] = ()
        """What the last tool made."""
        self._made: tuple[Made, ...] = ()
        self._tool = ""
        self._version = 0
        self._working = ""
        hub.tell({"type": "tools", "tools": [tool.described() for tool in TOOLS.values()]})
        self.tell()

    def take(self, sound: Sound, side: str = SIDES[0]) -> None:
        """Work on a sound from now on; `InputError` for an unknown side."""
        if side not in SIDES:
            raise InputError(f"{side[:40]!r} is not a side: choose {' or '.join(SIDES)}")
        self.given[side] = sound
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
        task = self._task(TOOLS[name], given)
        if self._working:
            raise InputError(f"{self._working} is at work still: wait for it")
        before, version = self.given["before"], self._version
        self._working = name
        self.tell()
        try:
            made = await self._studio.work(name, task)
        finally:
            self._working = ""
            self.tell()
        # What was dropped meanwhile is not what this was made of.
        if version == self._version:
            self._made, self._tool = made, name
            self.after = tuple(_named(each, before, name) for each in made)
            self._version += 1
            self.tell()

    def write_kit(self, kits: Path) -> str:
        """Make a kit of the strokes of a loop in the kits' folder, and return its name there; `GhostnoteError`."""
        strokes = [made.stroke for made in self._made if made.stroke]
        if not strokes:
            raise InputError("there are no strokes of a loop: slice one first")
        taken = {path.stem.casefold() for path in kits.iterdir()}
        name = distinct_name(safe_name(self.given["before"].name), taken)
        write_loop(strokes, self._made[0].rate, kits / name, name, with_kit=True)
        return f"{name}/{name}.toml"

    def tell(self) -> None:
        """Tell all browsers what lies there."""
        sides = {side: {"name": sound.name, "seconds": sound.seconds} for side, sound in self.given.items()}
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

    def _task(self, tool: Tool, given: Mapping[str, Any]) -> Task:
        """Return what a tool is given; `InputError`."""
        values, drum_class = tool.checked(given)
        before, other = self.sound("before"), None
        if tool.takes_two:
            if "other" not in self.given:
                raise InputError(f"{tool.name} takes two sounds: drop a second one")
            second = self.given["other"]
            other = resample(second.audio, second.rate, before.rate)
        return Task(before.audio, before.rate, values, drum_class, other)


def first_sound(folder: Path) -> Sound:
    """Return the first sound of a folder; `InputError`."""
    files = hit_files(folder)
    if not files:
        raise InputError("no sound was dropped")
    audio, rate = read_audio(files[0])
    return Sound(files[0].stem, audio, rate, "")


def _named(made: Made, before: Sound, tool: str) -> Sound:
    name = " ".join(part for part in (before.name, tool, made.name) if part)
    return Sound(name, made.audio, made.rate, made.drum_class or ("" if made.name else before.drum_class))
