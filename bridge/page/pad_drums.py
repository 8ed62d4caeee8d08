"""The drums that lie on pads, as sounds that tools can work on."""

import asyncio
from typing import Final

from ghostnote.bridge.dsp.velocity import hit_level_db
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.inference.velocity_layers import read_hit
from ghostnote.bridge.io.audio_file import read_audio
from ghostnote.bridge.io.hit_files import short_name
from ghostnote.bridge.kit.hits import PadHit
from ghostnote.bridge.kit.kit import Pad
from ghostnote.bridge.page.drum_map import Sound
from ghostnote.bridge.page.hub import Hub
from ghostnote.bridge.page.line import DaemonLine
from ghostnote.bridge.page.studio import Studio
from ghostnote.bridge.sampler.write import safe_name

_NAME_BYTES: Final = 60
"""Of a drum's name: each tool that works on it adds its own."""


class PadDrums:
    """Gives the drum of a pad as it plays now."""

    def __init__(self, hub: Hub, line: DaemonLine, studio: Studio) -> None:
        """Ask the daemon by `line` for the kit, and `studio` for drums of the model."""
        self._hub, self._line, self._studio = hub, line, studio

    async def sound(self, slug: str) -> Sound:
        """Return the recorded stroke of a pad, the loudest of several, or the drum that the model generates for it.

        `GhostnoteError` for an unknown pad, without a daemon, and where a file cannot be read.
        """
        pad = await self._pad(slug)
        if pad.files:
            return await asyncio.to_thread(recorded, pad)
        made = await self._studio.drum(pad)
        return Sound(_short(f"{pad.name} {pad.drum_seed}"), made.audio, made.rate, pad.drum_class)

    async def _pad(self, slug: str) -> Pad:
        """Return a pad with all that its kit file says of it."""
        shown = self._hub.pad(slug)
        if shown is None:
            raise InputError(f"there is no pad {slug[:80]!r}")
        found = next((pad for pad in (await self._line.kit()).pads if pad.name == shown["name"]), None)
        if found is None:
            raise InputError(f"pad '{shown['name']}' is not in the kit any more")
        return found


def recorded(pad: Pad) -> Sound:
    """Return the recorded stroke of a pad with its own settings, the loudest of its hardest layer; `AudioFileError`."""
    hits = pad.hits or tuple(PadHit(file) for file in pad.files)
    hardest = max(hit.high for hit in hits)
    strokes = [_read(hit, pad.drum_class) for hit in hits if hit.high == hardest]
    return max(strokes, key=lambda stroke: hit_level_db(stroke.audio, stroke.rate))


def _read(hit: PadHit, drum_class: str) -> Sound:
    _, rate = read_audio(hit.file)
    return Sound(_short(hit.file.stem), read_hit(hit, rate), rate, drum_class)


def _short(name: str) -> str:
    return short_name(safe_name(name), _NAME_BYTES)
