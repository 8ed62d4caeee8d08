"""How a batch is humanized."""

from dataclasses import dataclass
from numbers import Integral
from typing import Final

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.arguments import MADE_RATES_HZ, check, check_whole
from ghostnote.bridge.io.audio_file import FORMATS
from ghostnote.bridge.kinds import find_class
from ghostnote.bridge.kit.fields import RANGES as KIT_RANGES

RANGES: Final = {
    "count": (1, 999),
    "velocities": (1, 127),
    **{name: KIT_RANGES[name] for name in ("amount", "width", "steps", "seed")},
    "rate": MADE_RATES_HZ,
}
"""Lowest and highest value of each number in the settings."""
LAYER_STRIDE: Final = 10_000
"""Stroke numbers of a velocity layer, so that more round robins begin with the strokes of fewer."""


@dataclass(frozen=True)
class BatchSettings:
    """How every file of a batch is humanized."""

    count: int = 8
    """Round robins: strokes for each velocity layer."""
    velocities: int = 4
    """Velocity layers; the hardest has the level of the file."""
    amount: float = 1.0
    """How much strokes differ: 0 not at all, 1 like a drummer's, 2 exaggerated."""
    width: float = 0.0
    """How much wider the stereo image becomes, 0 to 1."""
    steps: int = 2
    """Diffusion steps; 0 leaves the network out."""
    seed: int = 1
    """Another seed, other strokes."""
    drum_class: str | None = None
    """The class of all files; None goes by each file's name, then by its sound."""
    format: str = "wav"
    """Format of the files to write: wav, flac or aiff."""
    bits: int | None = None
    """Their bits per sample; None keeps the source's where the format has it."""
    rate: int | None = None
    """Their sample rate in Hz; None keeps the source's."""
    force: bool = False
    """Whether files that are not single hits are humanized too."""


def check_settings(settings: BatchSettings) -> None:
    """Raise `InputError` for a number out of range, an unknown class, or a format or bits that cannot be written."""
    for name, (least, most) in RANGES.items():
        value = getattr(settings, name)
        if name in ("amount", "width"):
            check(name, value, least, most)
        elif value is not None or name != "rate":
            check_whole(name, value, int(least), int(most))
    if settings.drum_class is not None:
        find_class(settings.drum_class)
    kinds = [suffix[1:] for suffix, kind in FORMATS.items() if kind.bits]
    if settings.format not in kinds:
        raise InputError(f"format {settings.format!r} cannot be written; choose one of {', '.join(kinds)}")
    bits = FORMATS[f".{settings.format}"].bits
    if settings.bits is not None and not (isinstance(settings.bits, Integral) and settings.bits in bits):
        offer = ", ".join(map(str, sorted(bits)))
        raise InputError(f"{settings.format} files have no {settings.bits} bits; choose {offer}")


def layer_bounds(velocities: int) -> list[tuple[int, int]]:
    """Return the lowest and highest velocity of each layer, 1 to 127 in equal parts."""
    tops = [round(127 * (layer + 1) / velocities) for layer in range(velocities)]
    return list(zip([1, *(top + 1 for top in tops[:-1])], tops, strict=True))
