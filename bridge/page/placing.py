"""Puts sounds onto pads: into the kits' folder first, then a message goes to the daemon."""

import asyncio
from pathlib import Path

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.audio_file import write_audio
from ghostnote.bridge.page.drops import Drops
from ghostnote.bridge.page.drum_map import Sound
from ghostnote.bridge.page.hub import Hub
from ghostnote.bridge.page.line import DaemonLine


class Placing:
    """Lets pads start from sounds."""

    def __init__(self, hub: Hub, line: DaemonLine, drops: Drops) -> None:
        """Take what was dropped, and tell the daemon by `line`."""
        self._hub, self._line, self._drops = hub, line, drops

    async def drop_on_pad(self, drop: str, slug: str, known_class: str = "") -> tuple[str, str]:
        """Let a pad start from what was dropped; return where it lies in the kits' folder, and its class.

        `InputError` for an unknown or locked pad, for what is not a sound, and without a daemon or kits' folder.
        """
        kits = self.kits()
        pad = self._hub.pad(slug)
        if pad is None:
            raise InputError(f"there is no pad {slug!r}")
        if pad["lock"]:
            raise InputError(f"pad '{pad['name']}' is locked: its drum stays; unlock it first")
        path, guess = await asyncio.to_thread(self._drops.to_pad, drop, slug, kits)
        drum_class = known_class or guess
        self._line.send(f"pad/{slug}/hits", path, *((drum_class,) if drum_class else ()))
        return path, drum_class

    async def sound_on_pad(self, sound: Sound, slug: str) -> tuple[str, str]:
        """Let a pad start from a sound; all else is as in `drop_on_pad`."""
        drop = self._drops.begin()
        path = self._drops.folder(drop) / f"{sound.name}.wav"
        await asyncio.to_thread(write_audio, path, sound.audio, sound.rate)
        return await self.drop_on_pad(drop, slug, sound.drum_class)

    def play_kit(self, name: str) -> None:
        """Let the daemon play a kit of the kits' folder."""
        self._line.send("kit/load", name)

    def kits(self) -> Path:
        """Return the kits' folder; `InputError` where there is none."""
        folder = self._hub.kit.get("folder", "")
        if not folder or not self._line.is_open:
            raise InputError("there is no folder for kits: start 'ghostnote live' with --page or with --kits FOLDER")
        return Path(folder)
