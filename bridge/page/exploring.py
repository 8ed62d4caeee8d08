"""New drums on the map: many of a class, four more near one, and the sounds of a folder."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Coroutine, Mapping
from pathlib import Path
from typing import Any, Final

from ghostnote.bridge.classify.finder import find_drums
from ghostnote.bridge.dsp.partials import RATE
from ghostnote.bridge.errors import GhostnoteError, InputError
from ghostnote.bridge.io.audio_file import read_audio
from ghostnote.bridge.io.hit_files import hit_files
from ghostnote.bridge.io.printable import counted
from ghostnote.bridge.kinds import find_class, find_kind
from ghostnote.bridge.page.drum_map import MOST_DRUMS, DrumMap, MapDrum
from ghostnote.bridge.page.hub import Hub
from ghostnote.bridge.page.studio import Studio
from ghostnote.bridge.tools.explore import ExploreSettings, FoundDrum
from ghostnote.bridge.tools.lexicon import Meaning
from ghostnote.bridge.tools.word_embedding import KNOWS_MORE, guess, open_embedding
from ghostnote.bridge.tools.words import SeedSearch, Wish, read_words

MOST_AT_ONCE: Final = 64
NEAR_COUNT: Final = 4
_SEEDS: Final = 10**6
_MOST_WORDS: Final = 200
_MOST_NAME: Final = 40
_COMPARED: Final = {
    "bright": ("brighter", "darker"),
    "boomy": ("boomier", "less boomy"),
    "long": ("longer", "shorter"),
    "noisy": ("noisier", "cleaner"),
    "hard": ("harder", "softer"),
    "high": ("higher", "lower"),
}
"""How drums differ from others of their class, by descriptors that rise or fall."""
_OTHER: Final = "perc"
"""What a sound counts as that nothing says the class of."""


class Exploring:
    """Makes drums for the map that all browsers see."""

    def __init__(self, hub: Hub, studio: Studio) -> None:
        """Start with an empty map."""
        self._hub, self._studio = hub, studio
        self.map = DrumMap()
        self._task: asyncio.Task[None] | None = None
        self._left, self._said = 0, ""
        self.tell()

    def start(self, asked: Mapping[str, Any]) -> None:
        """Begin to make drums of a class or a kind, or those that words choose; `InputError`."""
        count = asked.get("count", 16)
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST_AT_ONCE:
            raise InputError(f"count = {count!r}, but it must be a whole number from 1 to {MOST_AT_ONCE}")
        words, seed = str(asked.get("words", "")).strip()[:_MOST_WORDS], secrets.randbelow(_SEEDS)
        if words:
            self._begin(count, self._find(words, asked, count, seed))
            return
        name, kind = _chosen(asked)
        drums = self._studio.explore(ExploreSettings(name, kind, count, seed), None, RATE)
        self._begin(count, self._take(drums, kind or name, name))

    def near(self, number: str, near: float = 0.7) -> None:
        """Begin to make four more near a drum of the map; `InputError`."""
        drum = self.drum(number)
        settings = ExploreSettings(drum.drum_class, None, NEAR_COUNT, secrets.randbelow(_SEEDS), near)
        drums = self._studio.explore(settings, drum.audio, drum.rate)
        self._begin(NEAR_COUNT, self._take(drums, drum.drum_class, drum.drum_class, number))

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
        self._task, self._left, self._said = None, 0, ""

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
            named = classes.get(file)
            try:
                audio, rate = read_audio(file)
            except InputError:
                continue
            self.map.add(MapDrum(file.stem, audio, rate, named.drum_class if named else _OTHER, is_own=True))
            added += 1
        return added

    def _begin(self, count: int, work: Coroutine[Any, Any, None]) -> None:
        if self._task and not self._task.done():
            work.close()
            raise InputError(f"{counted(self._left, 'drum')} being made still: wait for the end")
        self._left, self._said = count, ""
        self._task = asyncio.create_task(self._run(work))
        self.tell()

    async def _run(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except GhostnoteError as error:
            self._hub.tell({"type": "error", "address": "explore", "reason": str(error)})
        self._left = 0
        self.tell()

    async def _find(self, words: str, asked: Mapping[str, Any], count: int, seed: int) -> None:
        # What explains unknown words takes a while to open.
        wish = await asyncio.to_thread(read_words, words, guess)
        knows_more = not wish.unexplained or await asyncio.to_thread(open_embedding) is not None
        hint = "" if knows_more else f"; {KNOWS_MORE}"
        if not wish.weights and wish.drum_class is None and wish.make is None:
            example = 'say it as in "tight dusty snare" or "boomy 808 kick"'
            why = "names only what not to make" if wish.negated else "says nothing here"
            raise InputError(f"'{words}' {why}: {example}{hint}")
        name, kind = (wish.drum_class, wish.kind) if wish.drum_class else _chosen(asked)
        self._said = said(wish, name) + hint
        await self._take(self._studio.find(wish, SeedSearch(name, kind, seed), count), _file_name(words), name)

    async def _take(self, drums: AsyncIterator[FoundDrum], name: str, drum_class: str, near: str = "") -> None:
        """Put drums on the map as they come, under a name before their seed."""
        async for found in drums:
            drum = await asyncio.to_thread(MapDrum, f"{name} {found.seed}", found.audio, RATE, drum_class, near)
            self.map.add(drum)
            self._left -= 1
            self.tell()

    def tell(self) -> None:
        """Tell all browsers the map."""
        self._hub.tell({"type": "map", "left": self._left, "said": self._said, "drums": self.map.described()})


def said(wish: Wish, drum_class: str) -> str:
    """Return what words were taken for, and which of them say nothing."""
    make = wish.make if wish.kind is None else None
    drum = " ".join(part.replace("_", " ") for part in (make, wish.kind or drum_class) if part)
    parts = [f"{drum}: {_compared(wish.weights)}" if wish.weights else drum]
    parts += [f"'{word}' is taken for {_compared(meaning)}" for word, meaning in wish.guessed.items()]
    if wish.unexplained:
        parts.append(f"not known here: {', '.join(wish.unexplained)}")
    return "; ".join(parts)


def _compared(meaning: Meaning) -> str:
    return ", ".join(_COMPARED[name][far < 0] for name, far in meaning.items())


def _chosen(asked: Mapping[str, Any]) -> tuple[str, str | None]:
    """Return the class and the kind that a page chose; `InputError`."""
    name, kind = find_class(str(asked.get("class", ""))), asked.get("kind") or None
    return name, find_kind(str(kind), name).name if kind else None


def _file_name(words: str) -> str:
    return re.sub(r"[^\w]+", " ", words).strip()[:_MOST_NAME].strip()
