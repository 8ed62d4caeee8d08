"""Exports a kit's pads for other samplers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ghostnote.bridge.io.audio_checks import file_channels
from ghostnote.bridge.kit.kit import Kit
from ghostnote.bridge.render.workers import Spec
from ghostnote.bridge.sampler.build import KitShape, kit_from_pads, mixed_down
from ghostnote.bridge.sampler.instrument import MOST_CHANNELS
from ghostnote.bridge.sampler.write import KitFormat, export_kits


@dataclass(frozen=True)
class Strokes:
    """How the strokes of an export are made."""

    spec: Spec
    rate: int
    """In Hz."""
    jobs: int = 1
    """Processes."""
    made: Callable[[int, int], None] = lambda *_: None
    """Called with how many strokes are made, and of how many."""


def export_pads(
    kit: Kit, strokes: Strokes, shape: KitShape, forms: Sequence[KitFormat], folder: Path
) -> tuple[list[Path], list[str]]:
    """Write a kit in formats, each in a folder named after the format; return their paths, and what was left out.

    Errors are as in `export_kit`.
    """
    with kit_from_pads(kit, strokes.spec, strokes.rate, shape, strokes.jobs, strokes.made) as made:
        paths, notes = export_kits([made], forms, folder)
    if kit.all_effects:
        notes.append("effects are not part of the samples: add them in the sampler")
    return paths, [*notes, *_mixed_down(kit)]


def _mixed_down(kit: Kit) -> Iterator[str]:
    """Yield a line on each of a kit's hits with more channels than samples have."""
    for name, file in ((pad.name, file) for pad in kit.pads for file in pad.files):
        channels = file_channels(file) or 0
        if channels > MOST_CHANNELS:
            yield f"{name}: {file.name} {mixed_down(channels, kit.name)}"
