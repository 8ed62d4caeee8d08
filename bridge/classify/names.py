"""What the name of a sound file says: its class, its group, its velocity layer and its round robin."""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from ghostnote.bridge.classify.classifier import class_by_name

_LAYER: Final = r"(?:velocity|vel|vl|layer|lyr|dyn|v)"
_ROUND_ROBIN: Final = r"(?:roundrobin|round[ _-]robin|rr|rnd|take|tk|alt)"
_START: Final = r"(?i)(?:^|(?<=[^a-z])|(?-i:(?<=[a-z])(?=[A-Z])))"
_PART: Final = _START + r"{word}[ _-]?(\d+)(?![a-z0-9])"
_LAYER_PATTERNS: Final = (
    re.compile(_START + r"lo(?:vel)?[ _-]?\d+[ _-]*hi(?:vel)?[ _-]?(\d+)(?![a-z0-9])"),
    re.compile(_PART.format(word=_LAYER)),
    # A note and the velocity at which it was sampled: Kick_C1_127.
    re.compile(r"(?:^|(?<=[ _-]))[A-G][#b]?-?\d[ _-]((?:1[0-2]|0?\d)?\d)(?=[ _-]|$)"),
)
_ROUND_ROBIN_PATTERN: Final = re.compile(_PART.format(word=_ROUND_ROBIN))
_SHORT_PATTERN: Final = re.compile(_START + r"l[ _-]?(\d+)[ _-]?rr?[ _-]?(\d+)(?![a-z0-9])")
"""L3_R2, both together: alone an L may be the left side."""
_RUN_TOGETHER: Final = re.compile(r"(?i)(?<=\d)(?=(?:rr?|vl?|l)\d)")
_SEPARATORS: Final = re.compile(r"[\s_.\-\0]+")
_NUMBER: Final = re.compile(r"(?:^|[\s_.\-]+)(\d+)[\s_.\-]*$")
_GONE: Final = "\0"
"""Stands where a name said a layer or a round robin."""
_WORD: Final = re.compile(r"[^\W\d_]+?(?=(?-i:(?<=[a-z])[A-Z])|[\W\d_]|$)")

_DYNAMICS: Final = {
    **{"ghost": 15, "ppp": 10, "pp": 20, "p": 30, "mp": 40, "mf": 50, "f": 60, "ff": 70, "fff": 80},
    **{"softest": 20, "quietest": 20, "softer": 25, "soft": 30, "quiet": 30, "light": 30, "medium": 45, "med": 45},
    **{"normal": 45, "hard": 60, "loud": 60, "heavy": 60, "harder": 65, "louder": 65, "hardest": 70, "loudest": 70},
}
"""Words for how hard a stroke is, as layers from soft to loud."""


@dataclass(frozen=True)
class HitName:
    """The parts of one path below a folder of hits."""

    drum_class: str | None
    """The class that the file name, or else the nearest folder above it, speaks of."""
    group: str
    """The path without suffix, layer and round robin: equal for strokes of one drum."""
    layer: int | None
    """The number after `v`, `vl`, `vel` or `layer`, or of a velocity range the highest."""
    round_robin: int | None
    """The number after `rr` or `take`."""
    family: str
    """The group without words for loudness and without a bare number at its end: perhaps strokes of one drum."""
    dynamic: int | None = None
    """How hard the words for loudness say that it is, from 10 to 80."""
    number: int | None = None
    """The bare number at its end."""
    title: str = ""
    """What people call the drum: the file's name, or its folder's, without all of that."""


def parse_name(path: PurePosixPath) -> HitName:
    """Return what a path relative to its folder of hits says.

    `Kit/Snare_v3_rr2.wav` is layer 3, round robin 2 of the group `kit/snare`. A bare number, as in
    `Kick 01.wav`, stays in the group: it counts drums or strokes, which only their sounds tell.
    """
    parts = [_RUN_TOGETHER.sub("_", unicodedata.normalize("NFC", p)) for p in path.with_suffix("").parts]
    joined = "/".join(parts)
    short = _SHORT_PATTERN.findall(joined)
    layers = (_last_number(each, joined) for each in _LAYER_PATTERNS)
    layer = next((found for found in layers if found is not None), None)
    stripped = [_stripped(part) for part in parts]
    calm, dynamics = zip(
        *(_dynamic(part, is_folder=at < len(parts)) for at, part in enumerate(stripped, 1)), strict=True
    )
    # A number before the word for loudness is the drum's: Tom 1 Hard.
    number = _NUMBER.search(calm[-1])
    whole = [
        _SEPARATORS.sub(" ", part).strip() for part in (*calm[:-1], calm[-1][: number.start() if number else None])
    ]
    titles = [part for part in whole if part]
    named = class_by_name(path)
    return HitName(
        drum_class=named.drum_class if named else None,
        group="/".join(filter(None, map(_bare, stripped))),
        layer=int(short[-1][0]) if short else layer,
        round_robin=int(short[-1][1]) if short else _last_number(_ROUND_ROBIN_PATTERN, joined),
        family="/".join(titles).lower(),
        dynamic=next((rank for rank in reversed(dynamics) if rank is not None), None),
        number=int(number[1]) if number else None,
        title=titles[-1] if titles else path.stem,
    )


def _dynamic(part: str, *, is_folder: bool) -> tuple[str, int | None]:
    """Return a part without its words for loudness, and what they say; a folder's count where it has no other."""
    found = [match for match in _WORD.finditer(part) if match[0].lower() in _DYNAMICS]
    if not found or (is_folder and len(found) < len(_WORD.findall(part))):
        return part, None
    for match in reversed(found):
        part = part[: match.start()] + _GONE + part[match.end() :]
    return part, round(sum(_DYNAMICS[match[0].lower()] for match in found) / len(found))


def _stripped(part: str) -> str:
    """Return a part without its layer and round robin."""
    for pattern in (_SHORT_PATTERN, *_LAYER_PATTERNS[:2], _ROUND_ROBIN_PATTERN):
        part = pattern.sub(_GONE, part)
    return _LAYER_PATTERNS[2].sub(lambda found: found[0][: found.start(1) - found.start()] + _GONE, part)


def _bare(part: str) -> str:
    return _SEPARATORS.sub(" ", part).strip().lower()


def _last_number(pattern: re.Pattern[str], text: str) -> int | None:
    found = pattern.findall(text)
    return int(found[-1]) if found else None
