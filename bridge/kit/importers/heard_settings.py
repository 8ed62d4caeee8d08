"""Settings of a region that are understood but cannot be taken over: named where they would be heard."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from ghostnote.bridge.kit.importers.region import Found
from ghostnote.bridge.kit.importers.xml import number

_LOWEST, _HIGHEST = 1, 127


def heard_envelope(settings: Mapping[str, str], prefix: str, full: float, path: Path) -> Iterator[str]:
    """Yield the settings of an amplitude envelope that are heard in a one-shot, whose release is not; `KitError`.

    Their names begin with `prefix`. Hold and decay are heard where the sustain lies below `full`.
    """
    falls = number(settings.get(f"{prefix}sustain"), full, f"{prefix}sustain", path) < full
    for name in ("delay", "attack", "hold", "decay"):
        lasts = number(settings.get(prefix + name), 0.0, prefix + name, path) > 0
        if lasts and (falls or name in ("delay", "attack")):
            yield prefix + name
    if falls:
        yield f"{prefix}sustain"


def heard_end(settings: Mapping[str, str], file: Path, found: Found) -> Iterator[str]:
    """Yield `end` where it is the number of a frame before the file's last; `KitError`, `AudioFileError`."""
    end = number(settings.get("end"), 0.0, "end", found.source)
    if end > 0 and end < found.sound(file)[1] - 1:
        yield "end"


def heard_tracking(name: str, track: float, velocities: tuple[int, int]) -> Iterator[str]:
    """Yield the velocity tracking's `name` where it is not 1 and a stroke has all `velocities`, lowest and highest.

    Layers have their levels by it; within one the level follows the velocity in any case.
    """
    if track != 1 and velocities[0] <= _LOWEST and velocities[1] >= _HIGHEST:
        yield f"{name} of a single layer"
