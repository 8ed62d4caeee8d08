"""The hit that a sound tool works on: before and after."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.audio_file import read_audio
from ghostnote.bridge.io.hit_files import hit_files
from ghostnote.bridge.page.drum_map import Sound
from ghostnote.bridge.page.hub import Hub
from ghostnote.bridge.page.studio import Studio
from ghostnote.bridge.page.tool_table import TOOLS


class Bench:
    """One hit for all browsers, and what the last tool made of it."""

    def __init__(self, hub: Hub, studio: Studio) -> None:
        """Start without a hit."""
        self._hub, self._studio = hub, studio
        self.hits: dict[str, Sound] = {}
        """`before` and `after`, as far as they are there."""
        self._version = 0
        self._working = ""
        hub.tell({"type": "tools", "tools": [tool.described() for tool in TOOLS.values()]})
        self.tell()

    def take(self, hit: Sound) -> None:
        """Work on a hit from now on."""
        self.hits = {"before": hit}
        self._version += 1

    def take_file(self, folder: Path) -> None:
        """Work on the first sound of a folder; `InputError`."""
        files = hit_files(folder)
        if not files:
            raise InputError("no sound was dropped")
        audio, rate = read_audio(files[0])
        self.take(Sound(files[0].stem, audio, rate, ""))

    def hit(self, side: str) -> Sound:
        """Return the hit of a side; `InputError` where there is none."""
        if side not in self.hits:
            raise InputError("there is no such hit: drop one first")
        return self.hits[side]

    async def work(self, name: str, given: Mapping[str, Any]) -> None:
        """Let a tool make the hit of after; `GhostnoteError` for what it cannot."""
        if name not in TOOLS:
            raise InputError(f"{name[:40]!r} is not a tool: choose {', '.join(TOOLS)}")
        values, drum_class = TOOLS[name].checked(given)
        before = self.hit("before")
        if self._working:
            raise InputError(f"{self._working} is at work still: wait for it")
        self._working = name
        self.tell()
        try:
            audio, rate = await self._studio.work(name, values, drum_class, before.audio, before.rate)
        finally:
            self._working = ""
            self.tell()
        if self.hits.get("before") is before:
            self.hits["after"] = Sound(
                f"{before.name} {name}", audio, rate, drum_class if TOOLS[name].has_class else before.drum_class
            )
            self._version += 1
            self.tell()

    def tell(self) -> None:
        """Tell all browsers what lies there."""
        sides = {side: {"name": hit.name, "seconds": hit.seconds} for side, hit in self.hits.items()}
        self._hub.tell({"type": "bench", "version": self._version, "working": self._working, **sides})
