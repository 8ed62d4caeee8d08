"""Separate outputs: which pair of channels a pad has beside the mix."""

from collections.abc import Mapping
from typing import Final

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.kit.kit import Kit, Pad

STEREO: Final = "stereo"
MODES: Final = ("pads", "groups", STEREO)

_GROUPS: Final[Mapping[str, str]] = {
    "kick": "Kick",
    "snare": "Snare",
    "rim": "Snare",
    "clap": "Snare",
    "closed_hat": "Hats",
    "open_hat": "Hats",
    "pedal_hat": "Hats",
    "tom": "Toms",
    "crash": "Cymbals",
    "ride": "Cymbals",
    "perc": "Percussion",
}


def output_of(pad: Pad, mode: str) -> str | None:
    """Return the name of a pad's output in a mode of `MODES`: its own, or that of `out` or of its class."""
    if mode == STEREO:
        return None
    return pad.name if mode == "pads" else pad.out or _GROUPS[pad.drum_class]


def output_names(kit: Kit, mode: str) -> tuple[str, ...]:
    """Return the names of a kit's outputs beside the mix, in the order of the kit; `InputError` for another mode."""
    if mode not in MODES:
        raise InputError(f"--outputs {mode}: choose {', '.join(MODES)}")
    names = dict.fromkeys(output_of(pad, mode) for pad in kit.pads)
    return tuple(name for name in names if name)
