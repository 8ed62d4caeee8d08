"""Generated drums kept as files: the model needs a second for one, a file a millisecond."""

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from ghostnote.bridge.errors import GhostnoteError
from ghostnote.bridge.inference.stroke_source import SourceSpec
from ghostnote.bridge.inference.variation import Audio, Reference
from ghostnote.bridge.io.audio_file import write_audio
from ghostnote.bridge.kit.kit import Pad

MOST_FILES: Final = 500
MODEL_RATE: Final = 44_100

_FULL_PRECISION: Final = 32
_NAME_DIGITS: Final = 16


class DrumSource(Protocol):
    """A source of strokes that also gives their reference."""

    def stroke(self, pad: Pad, index: int, velocity: int) -> Audio:
        """Return the pad's `index`-th stroke, (2, frames)."""

    def reference(self, pad: Pad) -> Reference:
        """Return what the pad's strokes follow."""


@dataclass(frozen=True)
class CachedSpec:
    """Opens a source whose generated drums are kept in the user's cache folder."""

    spec: SourceSpec
    model_rate: int = MODEL_RATE
    """The model's sample rate in Hz, which the drums are kept at."""

    def open(self) -> "CachedSource":
        """Open the model in this process."""
        source = self.spec.open()
        return CachedSource(source, cache_folder() / source.checksum[:_NAME_DIGITS], self.model_rate)


class CachedSource:
    """Makes the same strokes as the source behind it, to the bit."""

    def __init__(self, source: DrumSource, folder: Path, rate: int) -> None:
        """Keep the drums that `source` generates in `folder`, as files at `rate` Hz."""
        self._source, self._folder, self._rate = source, folder, rate

    def stroke(self, pad: Pad, index: int, velocity: int) -> Audio:
        """Return the pad's `index`-th stroke, (2, frames)."""
        return self._source.stroke(self._cached(pad), index, velocity)

    def _cached(self, pad: Pad) -> Pad:
        """Return the pad with its generated drum as its hit; unchanged where that cannot be kept."""
        if pad.hit is not None:
            return pad
        path = self._folder / f"{pad.drum_class}-{pad.seed}.wav"
        if not path.is_file():
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                write_audio(path, np.asarray(self._source.reference(pad).audio), self._rate, _FULL_PRECISION)
            except (GhostnoteError, OSError):
                # A full or read-only disk only costs time at the next start.
                return pad
            _remove_oldest(self._folder)
        return replace(pad, hit=path)


def cache_folder() -> Path:
    """Return the folder for this user's cached files."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home()))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return base / "ghostnote"


def _remove_oldest(folder: Path) -> None:
    """Keep the newest `MOST_FILES` drums."""
    kept = sorted(folder.glob("*.wav"), key=lambda path: path.stat().st_mtime)
    for path in kept[:-MOST_FILES]:
        path.unlink(missing_ok=True)
