"""Generated drums kept as files: the model needs a second for one, a file a millisecond."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from ghostnote.bridge.errors import AudioFileError, GhostnoteError
from ghostnote.bridge.inference.stroke_source import DRUMS_VERSION, SourceSpec
from ghostnote.bridge.inference.variation import Audio, Reference, StrokeKey
from ghostnote.bridge.io.audio_file import read_audio, write_audio
from ghostnote.bridge.io.cache_folder import cache_folder
from ghostnote.bridge.kit.kit import Pad

if TYPE_CHECKING:
    from ghostnote.bridge.inference.stroke_source import StrokeSource

MOST_FILES: Final = 500
MODEL_RATE: Final = 44_100
READY_MADE: Final = Path(__file__).parent.parent / "kit" / "drums"
"""Drums of the kits that come along, in a folder named after the model and the version of the code that made them."""

_FULL_PRECISION: Final = 32
_NAME_DIGITS: Final = 16


class DrumSource(Protocol):
    """A source of strokes that also gives their reference."""

    def strokes(self, pad: Pad, keys: Sequence[StrokeKey]) -> Sequence[Audio]:
        """Return several of the pad's strokes, (2, frames) each."""

    def reference(self, pad: Pad) -> Reference:
        """Return what the pad's strokes follow."""


@dataclass(frozen=True)
class CachedSpec:
    """Opens a source whose generated drums are kept in the user's cache folder."""

    spec: SourceSpec
    model_rate: int = MODEL_RATE
    """The model's sample rate in Hz, which the drums are kept at."""

    def open(self) -> "StrokeSource | CachedSource":
        """Open the model in this process."""
        source, folder = self.spec.open(), cache_folder()
        if folder is None:
            return source
        ready = ready_made(source.checksum)
        return CachedSource(source, folder / ready.name, self.model_rate, ready)


class CachedSource:
    """Makes the same strokes as the source behind it, to the bit."""

    def __init__(self, source: DrumSource, folder: Path, rate: int, ready_made: Path | None = None) -> None:
        """Keep the drums that `source` generates in `folder`, as files at `rate` Hz.

        Those that lie in `ready_made` need not be generated.
        """
        self._source, self._folder, self._rate, self._ready_made = source, folder, rate, ready_made
        self._intact: set[Path] = set()

    def stroke(self, pad: Pad, index: int, velocity: int) -> Audio:
        """Return the pad's `index`-th stroke, (2, frames)."""
        return self.strokes(pad, [StrokeKey(index, velocity)])[0]

    def strokes(self, pad: Pad, keys: Sequence[StrokeKey]) -> Sequence[Audio]:
        """Return several of the pad's strokes."""
        cached = self._cached(pad)
        try:
            return self._source.strokes(cached, keys)
        except AudioFileError:
            if cached is pad:
                raise
            # The file went meanwhile.
            self._intact.clear()
            return self._source.strokes(pad, keys)

    def _cached(self, pad: Pad) -> Pad:
        """Return the pad with its generated drum as its hit; unchanged where that cannot be kept."""
        if pad.files:
            return pad
        ready = self._ready_made / drum_file(pad, ".flac") if self._ready_made else None
        if ready is not None and ready.is_file():
            return replace(pad, hit=ready)
        path = self._folder / drum_file(pad, ".wav")
        if path in self._intact and path.is_file():
            return replace(pad, hit=path)
        if not self._is_intact(path):
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                write_audio(path, np.asarray(self._source.reference(pad.plain).audio), self._rate, _FULL_PRECISION)
                _remove_oldest(self._folder)
            except (GhostnoteError, OSError):
                # A full or read-only disk only costs time at the next start.
                return pad
        self._intact.add(path)
        return replace(pad, hit=path)

    def _is_intact(self, path: Path) -> bool:
        """Return whether a file holds a whole drum; one that a crash or a full disk cut short is made anew."""
        try:
            audio, rate = read_audio(path)
        except GhostnoteError:
            return False
        # A drum ends in silence; what was cut short does not.
        return len(audio) == 1 and rate == self._rate and audio.shape[1] > 0 and float(audio[0, -1]) == 0


def ready_made(checksum: str) -> Path:
    """Return the folder of the drums that come along with a model."""
    return READY_MADE / f"{checksum[:_NAME_DIGITS]}-{DRUMS_VERSION}"


def drum_file(pad: Pad, suffix: str) -> str:
    """Return the name of the file that keeps a pad's generated drum."""
    return f"{pad.kind or pad.drum_class}-{pad.drum_seed}{suffix}"


def _remove_oldest(folder: Path) -> None:
    """Keep the newest `MOST_FILES` drums."""
    kept = sorted(folder.glob("*.wav"), key=lambda path: path.stat().st_mtime)
    for path in kept[:-MOST_FILES]:
        path.unlink(missing_ok=True)
