"""A picture of hits and their next strokes."""

from pathlib import Path

from ghostnote.bridge.batch.full_band import lead_frames, stroke_maker
from ghostnote.bridge.batch.model_variator import ModelSpec
from ghostnote.bridge.batch.settings import BatchSettings
from ghostnote.bridge.drums import class_from_name
from ghostnote.bridge.dsp.conversion import mixdown, resample
from ghostnote.bridge.inference.model import Generator
from ghostnote.bridge.inference.stroke_source import generate_drum
from ghostnote.bridge.inference.variation import Reference, StrokeKey, Variation, Variator
from ghostnote.bridge.io.audio_file import read_audio
from ghostnote.models.plots.hits import draw_hits
from ghostnote.models.plots.levels import HitAndVariation, draw_levels


def draw_variations(
    output: Path, hits: list[Path], drum_class: str, variations: int, seed: int, steps: int | None, model: Path | None
) -> None:
    """Draw each of `hits`, or one generated drum of `drum_class`, beside its next strokes."""
    generator = Generator.open(model)
    variator, variation = Variator(generator), Variation(seed, steps=steps)
    rows = []
    for name, reference in _references(generator, hits, drum_class, seed):
        strokes = [
            variator.next_stroke(reference, variation, index=i, velocity=reference.velocity)[0]
            for i in range(variations)
        ]
        labelled = [(f"variation {i + 1}", stroke) for i, stroke in enumerate(strokes)]
        rows.append((name, [("reference", reference.audio[0]), *labelled]))
    draw_hits(output, rows, generator.card.rate)


def draw_long(output: Path, hits: list[Path], drum_class: str, settings: BatchSettings, model: Path | None) -> None:
    """Draw each of `hits` beside its next stroke, as a batch makes it, with the level of every channel."""
    variator = ModelSpec(model).open()
    variation = Variation(settings.seed, settings.amount, settings.width, settings.steps)
    pairs = []
    for path in hits:
        audio, rate = read_audio(path)
        named = class_from_name(path.stem) or drum_class
        strokes = stroke_maker(audio, rate, named, variation, variator)
        (stroke,) = strokes([StrokeKey(1)])
        renewed_seconds = lead_frames(audio, rate) / rate + variator.renewed_seconds
        pairs.append(HitAndVariation(path.stem, audio, stroke, rate, renewed_seconds))
    draw_levels(output, pairs)


def _references(generator: Generator, hits: list[Path], drum_class: str, seed: int) -> list[tuple[str, Reference]]:
    card = generator.card
    if not hits:
        audio = generate_drum(generator, drum_class, seed)[None]
        return [(drum_class, Reference(audio, card.classes.index(drum_class)))]
    references = []
    for path in hits:
        audio, rate = read_audio(path)
        mono = resample(mixdown(audio, 1), rate, card.rate)
        named = class_from_name(path.stem) or drum_class
        references.append((path.stem, Reference(mono, card.classes.index(named))))
    return references
