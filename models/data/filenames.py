"""What the name of a sound file says: its class, its group, its velocity layer and its round robin."""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from ghostnote.bridge.drums import class_from_name

_LAYER: Final = r"(?:velocity|vel|vl|layer|lyr|v)"
_ROUND_ROBIN: Final = r"(?:roundrobin|round[ _-]robin|rr|take|tk)"
_PART: Final = r"(?i)(?:^|(?<=[^a-z])){word}[ _-]?(\d+)(?![a-z0-9])"
_LAYER_PATTERN: Final = re.compile(_PART.format(word=_LAYER))
_ROUND_ROBIN_PATTERN: Final = re.compile(_PART.format(word=_ROUND_ROBIN))
_SEPARATORS: Final = re.compile(r"[\s_.\-]+")


@dataclass(frozen=True)
class HitName:
    """The parts of one path below a corpus folder."""

    drum_class: str | None
    """The class that the file name, or else the nearest folder above it, speaks of."""
    group: str
    """The path without suffix, layer and round robin: equal for strokes of one drum."""
    layer: int | None
    """The number after `v`, `vl`, `vel` or `layer`."""
    round_robin: int | None
    """The number after `rr` or `take`."""


def parse_name(path: PurePosixPath) -> HitName:
    """Return what a path relative to its corpus says.

    `Kit/Snare_v3_rr2.wav` is layer 3, round robin 2 of the group `kit/snare`. A bare number, as in
    `Kick 01.wav`, stays in the group: in sample packs it counts drums, not strokes.
    """
    parts = [unicodedata.normalize("NFC", p) for p in path.with_suffix("").parts]
    joined = "/".join(parts)
    return HitName(
        drum_class=next((c for p in reversed(parts) if (c := class_from_name(p))), None),
        group="/".join(stripped for p in parts if (stripped := _strip(p))),
        layer=_last_number(_LAYER_PATTERN, joined),
        round_robin=_last_number(_ROUND_ROBIN_PATTERN, joined),
    )


def _strip(part: str) -> str:
    bare = _ROUND_ROBIN_PATTERN.sub(" ", _LAYER_PATTERN.sub(" ", part))
    return _SEPARATORS.sub(" ", bare).strip().lower()


def _last_number(pattern: re.Pattern[str], text: str) -> int | None:
    found = pattern.findall(text)
    return int(found[-1]) if found else None
