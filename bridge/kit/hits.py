"""The recorded strokes of a pad: how a kit file lists them, and which of them a stroke starts from."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from ghostnote.bridge.classify.layers import layer_velocities
from ghostnote.bridge.dsp.velocity import velocity_db
from ghostnote.bridge.errors import AudioFileError
from ghostnote.bridge.io.audio_checks import MIN_SECONDS, file_seconds
from ghostnote.bridge.io.hit_files import HIT_SUFFIXES, hit_files
from ghostnote.bridge.io.printable import shown
from ghostnote.bridge.kit.fields import RANGES, FieldError, check_hit, check_keys, check_number

HIT_RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "gain_db": RANGES["gain_db"],
    "pan": RANGES["pan"],
    "tune": (-48.0, 48.0),
    "offset": (0.0, 60_000.0),
}
"""Lowest and highest value of each number of a recorded stroke."""
TOUCH: Final = ("openness", "position")
"""What may tell strokes apart beside their velocity, each a number or a range from 0 to 1."""
MOST_HITS: Final = 10_000
Range = tuple[float, float]

_KEYS: Final = ("file", "velocity", *HIT_RANGES, *TOUCH)
_TOUCH_RANGES: Final = dict.fromkeys(TOUCH, (0.0, 1.0))
_BOTH_SIDES: Final = 2.0
_PICK_STREAM: Final = 6
_CACHED_PADS: Final = 512


@dataclass(frozen=True, slots=True)
class PadHit:
    """A recorded stroke of a pad's drum."""

    file: Path
    low: int = 127
    """The lowest velocity that it plays."""
    high: int = 127
    """The highest; it has the level of this one."""
    gain_db: float = 0.0
    pan: float = 0.0
    tune: float = 0.0
    """Semitones by which it is played higher."""
    offset: float = 0.0
    """What is left out at the file's beginning, in ms."""
    openness: Range | None = None
    """How open the hi-hat is, from 0 closed to 1 open; None for any."""
    position: Range | None = None
    """Where it is struck, from 0 the centre to 1 the edge; None for anywhere."""

    def distance(self, velocity: int) -> int:
        """Return how far a velocity lies outside its range."""
        return max(self.low - velocity, velocity - self.high, 0)


def starts(hits: Sequence[PadHit], velocity: int) -> tuple[int, ...]:
    """Return the places of the hits from which strokes of a velocity start in turn.

    They are those that lie nearest; and where no hit plays the velocity, those of the layers on both sides of it, if
    one is not more than twice as far away as the other.
    """
    distances = [hit.distance(velocity) for hit in hits]
    nearest = min(distances)
    below = max((hit.high for hit in hits if hit.high < velocity), default=None)
    above = min((hit.low for hit in hits if hit.low > velocity), default=None)
    if nearest and below and above:
        gaps = sorted((velocity_db(velocity) - velocity_db(below), velocity_db(above) - velocity_db(velocity)))
        if gaps[1] <= _BOTH_SIDES * gaps[0]:
            return tuple(place for place, hit in enumerate(hits) if below == hit.high or above == hit.low)
    return tuple(place for place, distance in enumerate(distances) if distance == nearest)


def picks(hits: Sequence[PadHit], seed: int, index: int, velocity: int) -> Iterator[PadHit]:
    """Yield what the stroke number `index` starts from, and then what may stand in for it, nearest first.

    That is one of the `starts`, and never the same for two numbers in a row.
    """
    distances = [hit.distance(velocity) for hit in hits]
    layer = starts(hits, velocity)
    first = layer[_turn(len(layer), seed, layer[0], index)]
    yield hits[first]
    yield from (hits[at] for at in sorted(range(len(hits)), key=lambda at: (distances[at], at)) if at != first)


def _turn(count: int, seed: int, layer: int, index: int) -> int:
    """Return which of `count` round robins comes as number `index`: all in random order, then all in another."""
    if count < 3:
        return (index + seed) % count
    block, place = divmod(index, count)
    return _order(count, seed, layer, block)[place]


@lru_cache(maxsize=_CACHED_PADS)
def _order(count: int, seed: int, layer: int, block: int) -> tuple[int, ...]:
    def drawn(number: int) -> list[int]:
        return [*map(int, np.random.default_rng([_PICK_STREAM, seed, layer, number]).permutation(count))]

    order = drawn(block)
    # The swap leaves the last of a block alone, so that each block knows the end of the one before.
    if block and order[0] == drawn(block - 1)[-1]:
        order[:2] = order[1::-1]
    return tuple(order)


def check_hits(value: object, folder: Path) -> tuple[PadHit, ...]:
    """Return a pad's recorded strokes: those of a list or a folder; the level says a velocity that nothing else says.

    `FieldError` for a file that is not there, lies outside the kit's folder, or cannot be read.
    """
    if isinstance(value, str):
        path = check_hit(value, folder, key="hits", may_be_folder=True)
        value = [str(file.relative_to(folder)) for file in hit_files(path)] if path.is_dir() else [value]
        if not value:
            raise FieldError(
                f"hits = {shown(str(path))} holds no sound file; ghostnote reads {', '.join(HIT_SUFFIXES)}"
            )
    if not isinstance(value, list) or not value or len(value) > MOST_HITS:
        raise FieldError(
            f"hits = {f'{len(value)} entries' if isinstance(value, list) else shown(value)}, but it must be a folder, "
            f"or a list of 1 to {MOST_HITS} files such as [{{ file = 'soft.wav', velocity = [1, 60] }}, 'hard.wav']"
        )
    entries = [_entry(number, each, folder) for number, each in enumerate(value, 1)]
    unknown: dict[object, list[Path]] = defaultdict(list)
    for entry in entries:
        if not entry.has_velocity:
            unknown[entry.hit.openness, entry.hit.position].append(entry.hit.file)
    found: dict[Path, int] = {}
    try:
        for files in unknown.values():
            found |= zip(files, layer_velocities(files), strict=True)
    except AudioFileError as error:
        raise FieldError(f"a velocity is missing, and the level cannot tell it: {error}") from error
    return tuple(
        entry.hit if entry.has_velocity else replace(entry.hit, low=found[entry.hit.file], high=found[entry.hit.file])
        for entry in entries
    )


@dataclass(frozen=True)
class _Entry:
    """What a kit file says of a stroke."""

    hit: PadHit
    has_velocity: bool = field(default=False)

    @classmethod
    def of(cls, value: object, folder: Path) -> "_Entry":
        """Check one entry of a list."""
        table: Mapping[str, Any] = value if isinstance(value, dict) else {"file": value}
        check_keys(table, _KEYS)
        if "file" not in table:
            raise FieldError("it has no file; add file = ...")
        file = check_hit(table["file"], folder, key="file")
        numbers = {key: check_number(key, table[key], HIT_RANGES) for key in HIT_RANGES if key in table}
        if numbers.get("offset"):
            check_offset(file, numbers["offset"])
        numbers |= {key: check_range(key, table[key], _TOUCH_RANGES) for key in TOUCH if key in table}
        low, high = check_range("velocity", table.get("velocity", 1), RANGES)
        return cls(PadHit(file, low, high, **numbers), "velocity" in table)


def check_offset(file: Path, offset: float) -> None:
    """Raise `FieldError` for an offset in ms behind which nothing of a file is left to be heard."""
    seconds = file_seconds(file)
    if seconds is not None and offset / 1000 > seconds - MIN_SECONDS:
        raise FieldError(f"offset = {offset:g} ms leaves nothing of its {seconds:.2f} s; give a smaller one")


def _entry(number: int, value: object, folder: Path) -> _Entry:
    """Return what one entry of a list says; `FieldError` names it by its number, and by its file."""
    try:
        return _Entry.of(value, folder)
    except FieldError as error:
        file = value.get("file") if isinstance(value, dict) else None
        named = f" {shown(file)}" if isinstance(file, str) and not str(error).startswith("file = ") else ""
        raise FieldError(f"stroke {number}{named} of hits: {error}") from error


def check_range(key: str, value: object, ranges: Mapping[str, tuple[float, float]] = _TOUCH_RANGES) -> tuple[Any, Any]:
    """Return the range of one number, or of a pair; `FieldError`."""
    pair = value if isinstance(value, list) else [value, value]
    if len(pair) != 2:
        raise FieldError(f"{key} = {shown(value)}, but it must be one {key}, or the lowest and the highest: [1, 60]")
    low, high = (check_number(key, each, ranges) for each in pair)
    if low > high:
        raise FieldError(f"{key} = {shown(value)}, but the lowest must come first")
    return low, high
