"""The Python API: a model's strokes and drums as arrays, songs and folders as files. Import it from `ghostnote.bridge`.

Audio is float32, (channels, frames), full scale at 1. Everything raises `GhostnoteError` or its subclasses.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ghostnote.bridge.batch.full_band import stroke_maker
from ghostnote.bridge.batch.humanize import BatchReport, Progress, humanize_files, local_pool
from ghostnote.bridge.batch.model_variator import ModelSpec, ModelVariator
from ghostnote.bridge.batch.settings import BatchSettings, check_settings
from ghostnote.bridge.batch.sources import find_sources
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.inference.drum_cache import CachedSpec
from ghostnote.bridge.inference.model import Generator
from ghostnote.bridge.inference.model_card import Card
from ghostnote.bridge.inference.stroke_source import SourceSpec, generate_drum
from ghostnote.bridge.inference.variation import StrokeKey, Variation
from ghostnote.bridge.io.arguments import MADE_RATES_HZ, MOST_SEED, as_path, check, check_seed, check_whole
from ghostnote.bridge.io.atomic_file import system_trouble
from ghostnote.bridge.kinds import find_class, find_kind
from ghostnote.bridge.kit.kit import Kit, default_kit
from ghostnote.bridge.midi.smf_reader import read_midi
from ghostnote.bridge.render.offline import RenderReport, RenderSettings, check_render, render_song
from ghostnote.bridge.render.workers import MAX_JOBS
from ghostnote.bridge.tools.arguments import check_steps, check_variation, checked

Audio = NDArray[np.float32]


class Model:
    """An opened model; threads may share it."""

    def __init__(self, path: Path | str | None = None) -> None:
        """Open a model file, or without a path the shipped one; `ModelError` where that cannot be done."""
        self._generator = Generator.open(_model(path))
        self._variator = ModelVariator(self._generator)

    @property
    def card(self) -> Card:
        """The model's card: sample rate, classes, training and credits."""
        return self._generator.card

    def next_stroke(
        self, hit: ArrayLike, rate: int, drum_class: str, key: StrokeKey, variation: Variation | None = None
    ) -> Audio:
        """Return one stroke of a hit; all else is as in `next_strokes`."""
        return next(self.next_strokes(hit, rate, drum_class, [key], variation))

    def next_strokes(
        self, hit: ArrayLike, rate: int, drum_class: str, keys: Sequence[StrokeKey], variation: Variation | None = None
    ) -> Iterator[Audio]:
        """Return an iterator over strokes of the drum that a hit (channels, frames) at `rate` Hz was struck on.

        Each is (channels, frames) like the hit, which counts as struck at velocity 127; a width above 0 makes two
        channels of one. The same arguments give the same strokes. `InputError` for an argument out of its range.
        """
        audio, variation = checked(hit, rate), variation or Variation()
        drum_class = find_class(drum_class)
        check_variation(variation)
        for key in keys:
            check_whole("index", key.index, 0, MOST_SEED)
            check("velocity", key.velocity, 1, 127)
        return stroke_maker(audio, rate, drum_class, variation, self._variator)(keys)

    def new_drum(
        self,
        drum_class: str,
        seed: int = 0,
        *,
        kind: str | None = None,
        steps: int | None = None,
        guidance: float = 1.0,
    ) -> Audio:
        """Return a new hit (1, frames) of a class at the model's rate, `card.rate` Hz; the seed decides which.

        A `kind` is finer, as 'cowbell' of the class 'perc'. More `steps` are finer and slower. `guidance` above 1 is
        more typical of the class, and less varied. `InputError` for an unknown class or kind, or a number out of its
        range.
        """
        drum_class = find_class(drum_class)
        named = None if kind is None else find_kind(kind, drum_class).name
        check_seed(seed)
        check_steps(steps, 1)
        check("guidance", guidance, 0, 10)
        return generate_drum(self._generator, drum_class, seed, kind=named, steps=steps, guidance=guidance)[None]


def render_midi(
    song: Path | str,
    mix: Path | str,
    kit: Kit | None = None,
    settings: RenderSettings | None = None,
    *,
    rate: int = 48_000,
    model: Path | None = None,
) -> RenderReport:
    """Render a MIDI file to a sound file at `rate` Hz, by default with the shipped kit and in this process.

    `InputError` for a song that cannot be played, `OutputError` where a file cannot be written. More than one of
    `settings.jobs` needs the script's own code under `if __name__ == "__main__":`.
    """
    check_whole("rate", rate, *MADE_RATES_HZ)
    song, mix, settings = as_path("song", song), as_path("mix", mix), settings or RenderSettings(jobs=1)
    check_render(settings)
    if settings.stems is not None:
        settings = replace(settings, stems=as_path("stems", settings.stems))
    return render_song(
        read_midi(song, rate), kit or default_kit(), CachedSpec(SourceSpec(_model(model), rate)), mix, settings
    )


def humanize_folder(
    folder: Path | str,
    output: Path | str,
    settings: BatchSettings | None = None,
    *,
    model: Path | None = None,
    jobs: int = 1,
    resume: bool = False,
    progress: Progress | None = None,
) -> BatchReport:
    """Write strokes of every hit in a folder into `output`, in velocity layers and round robins, with a manifest.

    Files that cannot be used are named in the report. `InputError` where none are found or `output` holds another
    run, `OutputError` where files cannot be written. More than one of `jobs`, the processes at work, needs the
    script's own code under `if __name__ == "__main__":`.
    """
    check_whole("jobs", jobs, 1, MAX_JOBS)
    folder, output, settings = as_path("folder", folder), as_path("output", output), settings or BatchSettings()
    check_settings(settings)
    if settings.drum_class is not None:
        settings = replace(settings, drum_class=find_class(settings.drum_class))
    try:
        sources = find_sources([folder], output)
    except OSError as error:
        raise InputError(system_trouble(error) or str(error)) from error
    spec, pool = ModelSpec(_model(model)), local_pool(jobs)
    return humanize_files(sources, output, settings, spec, pool, resume=resume, progress=progress)


def _model(path: Path | str | None) -> Path | None:
    return None if path is None else as_path("model", path)
