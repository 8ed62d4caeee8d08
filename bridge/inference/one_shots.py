"""New one-shot samples as files; the seed in a name makes the same drum again, as it was before words changed it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from ghostnote.bridge.dsp.conversion import resample
from ghostnote.bridge.inference.model import Generator
from ghostnote.bridge.inference.stroke_source import generate_drum
from ghostnote.bridge.inference.variation import Audio
from ghostnote.bridge.io.atomic_file import prepare_folder
from ghostnote.bridge.io.audio_file import format_for, names_sound_file, write_audio
from ghostnote.bridge.io.output_guard import numbered
from ghostnote.bridge.kinds import find_class, find_kind

_SUFFIX: Final = ".wav"
_FADE_SHARE: Final = 0.25
_SILENT: Final = 10 ** (-66 / 20)
_END_SECONDS: Final = 0.02


@dataclass(frozen=True)
class OneShotSettings:
    """Which one-shots to make."""

    drum_class: str
    """A name of `drums.CLASS_NAMES`."""
    kind: str | None = None
    """A name of `kinds.KINDS`, of that class; None for any."""
    seed: int = 0
    """The first hit's seed; the others count up."""
    count: int = 8
    """How many hits."""
    steps: int | None = None
    """Diffusion steps; None is the model's default."""
    guidance: float = 1.0
    """Classifier-free guidance; 1 is none."""
    length_seconds: float | None = None
    """Longest duration."""
    rate: int = 44_100
    """Sample rate of the files, in Hz."""
    bits: int | None = None
    """Sample size; None is the format's default."""
    seeds: tuple[int, ...] = ()
    """The hits' seeds, where they do not count up from `seed`."""


def write_one_shots(
    output: Path,
    settings: OneShotSettings,
    model: Path | None = None,
    change: Callable[[Audio], Audio] = lambda drum: drum,
) -> Iterator[Path]:
    """Write `KIND_SEED.wav` files into a folder and yield each path; `InputError` for an unknown class or kind.

    `output` is the folder, or the name of a single drum's file. What is there stays: the new file gets a number.
    `change` maps each drum (frames,), at the model's rate, to what is written.
    """
    settings = replace(settings, drum_class=find_class(settings.drum_class))
    if settings.kind is not None:
        settings = replace(settings, kind=find_kind(settings.kind, settings.drum_class).name)
    format_for(_path(output, settings, 0), settings.bits)
    generator = Generator.open(model)

    def draw(seed: int) -> Audio:
        drum = generate_drum(
            generator, settings.drum_class, seed, kind=settings.kind, steps=settings.steps, guidance=settings.guidance
        )
        return change(drum)

    return write_drawn(output, settings, draw, generator.card.rate)


def write_drawn(output: Path, settings: OneShotSettings, draw: Callable[[int], Audio], rate: int) -> Iterator[Path]:
    """Write what `draw` makes of each seed, (frames,) at `rate` Hz, as `write_one_shots` does."""
    prepare_folder(output.parent if names_sound_file(output) else output)
    return _written(output, settings, draw, rate)


def _written(output: Path, settings: OneShotSettings, draw: Callable[[int], Audio], rate: int) -> Iterator[Path]:
    seeds = settings.seeds or range(settings.seed, settings.seed + settings.count)
    for seed in seeds:
        trimmed = trim(draw(seed), settings.length_seconds, rate)
        path = numbered(_path(output, settings, seed))
        write_audio(path, resample(trimmed[None], rate, settings.rate), settings.rate, settings.bits)
        yield path


def _path(output: Path, settings: OneShotSettings, seed: int) -> Path:
    digits = len(str(max(settings.seeds, default=settings.seed + settings.count - 1)))
    name = f"{settings.kind or settings.drum_class}_{seed:0{digits}}{_SUFFIX}"
    return output if names_sound_file(output) else output / name


def trim(hit: Audio, length_seconds: float | None, rate: int) -> Audio:
    """Return `hit` (frames,) without silence at its end, faded to at most `length_seconds`.

    What is hardly audible at its end stays: it is how a drum falls silent.
    """
    audible = np.flatnonzero(np.abs(hit) > _SILENT * np.abs(hit).max())
    kept = hit[: int(audible[-1]) + 1 + round(_END_SECONDS * rate)] if audible.size else hit
    frames = int(length_seconds * rate) if length_seconds else len(kept)
    if frames >= len(kept):
        return kept
    fade = int(frames * _FADE_SHARE)
    cut = kept[:frames].copy()
    cut[-fade:] *= np.cos(np.linspace(0, np.pi / 2, fade, dtype=np.float32)) ** 2
    return cut
