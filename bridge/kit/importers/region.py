"""What the formats of other samplers have in common: regions, and what an import has to say of the rest."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ghostnote.bridge.errors import AudioFileError, KitError
from ghostnote.bridge.io.audio_checks import opened_audio
from ghostnote.bridge.io.printable import shortened
from ghostnote.bridge.kit.importers.samples import find_sample

MOST_REGIONS: Final = 10_000
_MOST_NAMED: Final = 8


NO_VELOCITY: Final = "regions without a velocity from 1 to 127"
"""Why a region is left out that has no `velocity_range`."""


def velocity_range(low: int, high: int) -> tuple[int, int] | None:
    """Return the lowest and the highest velocity of a range, 1 to 127; None where no velocity lies in it."""
    low, high = max(low, 1), min(high, 127)
    return (low, high) if low <= high else None


@dataclass(frozen=True)
class Channel:
    """A microphone's part of a recorded stroke."""

    file: Path
    number: int
    """The channel in the file, from 0."""
    side: int
    """-1 left, 0 both, 1 right."""


@dataclass(frozen=True)
class Region:
    """A recorded stroke, and the notes and velocities that play it."""

    file: Path
    keys: tuple[int, ...]
    drum: str
    """What its drum is called; regions of one drum on other keys are other pads."""
    low: int = 1
    high: int = 127
    gain_db: float = 0.0
    pan: float = 0.0
    tune: float = 0.0
    """Semitones."""
    offset: float = 0.0
    """What is left out at the file's beginning, in ms."""
    choke: str | None = None
    """The group that it belongs to."""
    choked_by: str | None = None
    """The group whose strokes end it."""
    turn: str = ""
    """What tells it from other round robins: regions of the same turn sound together."""
    openness: tuple[float, float] | None = None
    """As in `PadHit`."""
    position: tuple[float, float] | None = None
    channels: tuple[Channel, ...] = ()
    """What is mixed down to make `file`; nothing where that is there already."""


@dataclass
class Found:
    """What a kit of another sampler holds."""

    source: Path
    """The file that was read."""
    root: Path
    """The folder that holds the whole kit."""
    name: str
    regions: list[Region] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    """Settings that were not understood, and how often each came."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Why regions were left out, and how many."""
    missing: list[str] = field(default_factory=list)
    """Samples that are not there."""
    notes: list[str] = field(default_factory=list)
    """What else there is to say, a sentence each."""
    chances: set[float] = field(default_factory=set)
    """How often strokes are to be chosen at random, 0 to 1."""
    _samples: dict[tuple[Path, str], Path | None] = field(default_factory=dict)
    _sounds: dict[Path, tuple[float, int]] = field(default_factory=dict)

    def sample(self, folder: Path, name: str, origin: Path | None = None) -> Path | None:
        """Return the file that the kit, or its file `origin`, names from a folder on; None where it is not there.

        `KitError` for a name that leads out of the kit.
        """
        key = (folder, name)
        if key not in self._samples:
            self._samples[key] = find_sample(self.root, folder, name, origin or self.source)
        return self._samples[key]

    def sound(self, file: Path) -> tuple[float, int]:
        """Return the rate in Hz and the number of frames of a sound file; `AudioFileError`."""
        if file not in self._sounds:
            try:
                with opened_audio(file) as opened:
                    self._sounds[file] = float(opened.samplerate), int(opened.frames)
            except (ValueError, RuntimeError, OSError) as error:
                raise AudioFileError(
                    f"{file}: is not a sound file, or is damaged ({error}); export it again"
                ) from error
        return self._sounds[file]

    def milliseconds(self, file: Path, frames: float) -> float:
        """Return how long so many frames of a sound file last, 0 for none or fewer; `AudioFileError`."""
        return 1000 * frames / self.sound(file)[0] if frames > 0 else 0.0

    def add(self, region: Region) -> None:
        """Add a region; `KitError` where there are too many."""
        self.regions.append(region)
        if len(self.regions) > MOST_REGIONS:
            raise KitError(f"{self.source}: has more than {MOST_REGIONS:,} regions; import a kit of fewer")

    def report(self) -> list[str]:
        """Return what was not taken over, a line for each kind."""
        lines = [*self.notes]
        if len(self.chances) > 1:
            lines.append("strokes that are to come more or less often come equally often")
        if self.left_out:
            lines.append("left out: " + _counted(self.left_out))
        if self.unknown:
            lines.append("not understood, and left as it is: " + _counted(self.unknown))
        return lines


def _counted(counts: Counter[str]) -> str:
    """Return the most frequent of some names with their counts."""
    named = [f"{shortened(name)} ({count})" for name, count in counts.most_common(_MOST_NAMED)]
    more = len(counts) - len(named)
    return ", ".join(named) + (f" and {more} other kinds" if more else "")
