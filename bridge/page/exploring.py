"""New drums on the map: many of a class, four more near one, and the sounds of a folder."""

import asyncio
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ghostnote.bridge.classify.finder import find_drums
from ghostnote.bridge.dsp.partials import RATE
from ghostnote.bridge.errors import GhostnoteError, InputError
from ghostnote.bridge.io.audio_file import read_audio
from ghostnote.bridge.io.hit_files import hit_files
from ghostnote.bridge.kinds import find_class, find_kind
from ghostnote.bridge.page.drum_map import MOST_DRUMS, DrumMap, MapDrum
from ghostnote.bridge.page.hub import Hub
from ghostnote.bridge.page.studio import Audio, Studio
from ghostnote.bridge.tools.explore import ExploreSettings

MOST_AT_ONCE: Final = 64
NEAR_COUNT: Final = 4
_SEEDS: Final = 10**6
_OTHER: Final = "perc"
"""What a sound counts as that nothing says the class of."""


class Exploring:
    """Makes drums for the map that all browsers see."""

    def __init__(self, hub: Hub, studio: Studio) -> None:
        """Start with an empty map."""
        self._hub, self._studio = hub, studio
        self.map = DrumMap()
        self._task: asyncio.Task[None] | None = None
        self._left = 0
        self.tell()

    def start(self, wish: Mapping[str, Any]) -> None:
        """Begin to make drums of a class, or of a kind; `InputError`."""
        name, kind = find_class(str(wish.get("class", ""))), wish.get("kind") or None
        named = find_kind(str(kind), name).name if kind else None
        count = wish.get("count", 16)
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST_AT_ONCE:
            raise InputError(f"count = {count!r}, but it must be a whole number from 1 to {MOST_AT_ONCE}")
        self._begin(ExploreSettings(name, named, count, secrets.randbelow(_SEEDS)), "")

    def near(self, number: str, near: float = 0.7) -> None:
        """Begin to make four more near a drum of the map; `InputError`."""
        drum = self.drum(number)
        settings = ExploreSettings(drum.drum_class, None, NEAR_COUNT, secrets.randbelow(_SEEDS), near)
        self._begin(settings, number, drum.audio, drum.rate)

    def drum(self, number: str) -> MapDrum:
        """Return a drum of the map; `InputError`."""
        if number not in self.map.drums:
            raise InputError(f"drum {number[:20]!r} is not on the map any more")
        return self.map.drums[number]

    def clear(self) -> None:
        """Empty the map, and make no more."""
        self.stop()
        self.map.clear()
        self.tell()

    def stop(self) -> None:
        """Make no more."""
        if self._task:
            self._task.cancel()
        self._task, self._left = None, 0

    def close(self) -> None:
        """End the process that makes drums."""
        self.stop()
        self._studio.close()

    def add_files(self, folder: Path) -> int:
        """Put the sounds of a folder on the map, and return how many; `InputError` where there are none."""
        files = hit_files(folder)[:MOST_DRUMS]
        if not files:
            raise InputError("no sound was dropped")
        found = find_drums([(file, folder) for file in files], all_sounds=True)
        classes = {stroke.path: drum.guess for drum in found.drums for stroke in drum.strokes}
        added = 0
        for file in files:
            guess = classes.get(file)
            try:
                audio, rate = read_audio(file)
            except InputError:
                continue
            self.map.add(MapDrum(file.stem, audio, rate, guess.drum_class if guess else _OTHER, is_own=True))
            added += 1
        return added

    def _begin(self, settings: ExploreSettings, near: str, like: Audio | None = None, rate: int = RATE) -> None:
        if self._task and not self._task.done():
            raise InputError(f"{self._left} drums are being made still: wait for them")
        self._left = settings.count
        self._task = asyncio.create_task(self._run(settings, near, like, rate))
        self.tell()

    async def _run(self, settings: ExploreSettings, near: str, like: Audio | None, rate: int) -> None:
        name = settings.kind or settings.drum_class
        try:
            async for found in self._studio.explore(settings, like, rate):
                drum = await asyncio.to_thread(
                    MapDrum, f"{name} {found.seed}", found.audio, RATE, settings.drum_class, near
                )
                self.map.add(drum)
                self._left -= 1
                self.tell()
        except GhostnoteError as error:
            self._hub.tell({"type": "error", "address": "explore", "reason": str(error)})
        self._left = 0
        self.tell()

    def tell(self) -> None:
        """Tell all browsers the map."""
        self._hub.tell({"type": "map", "left": self._left, "drums": self.map.described()})
