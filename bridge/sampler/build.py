"""Builds sampler kits from a batch's manifest, or from a kit file."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from ghostnote.bridge.batch.journal import Row, manifest_rows
from ghostnote.bridge.batch.settings import LAYER_STRIDE, layer_bounds
from ghostnote.bridge.io.audio_file import write_audio
from ghostnote.bridge.io.hit_files import distinct_name
from ghostnote.bridge.io.input_file import real_path
from ghostnote.bridge.kit.choke import default_choke
from ghostnote.bridge.kit.kit import Kit, Pad
from ghostnote.bridge.kit.notes import notes_of_drums
from ghostnote.bridge.kit.zones import usual_zone
from ghostnote.bridge.render.mixer import pad_gains
from ghostnote.bridge.render.workers import Audio, Request, Spec, stroke_results
from ghostnote.bridge.sampler.instrument import MOST_CHANNELS, Instrument, Layer, Sample, SamplerKit


@dataclass(frozen=True)
class KitShape:
    """How many strokes of each drum a sampler kit has, and its credits."""

    count: int = 8
    """Round robins in each velocity layer."""
    velocities: int = 4
    """Velocity layers."""
    author: str = ""
    licence: str = ""
    credits: tuple[str, ...] = ()
    """Who recorded what the model was trained on."""
    name: str = ""
    """The kit's name; by default the manifest's folder's."""
    prefix: bool = False
    """Whether the names of kits from subfolders begin with it."""


def kits_from_manifest(manifest: Path, shape: KitShape) -> tuple[list[SamplerKit], tuple[str, ...]]:
    """Return a kit for each folder of sources, and messages on drums without a note, other rates and more channels.

    Kits are named after the folders, or as `shape` says where files are in none. Their rate is the most common. The
    drums of a kit are as loud beside each other as their sources were.
    """
    folders: dict[PurePosixPath, list[list[Row]]] = {}
    for source, rows in manifest_rows(manifest):
        folders.setdefault(PurePosixPath(source).parent, []).append(rows)
    kits, notices = [], []
    taken: set[str] = set()
    for folder, drums in folders.items():
        top = shape.name or real_path(manifest).parent.name
        name = distinct_name(" - ".join((top, *folder.parts) if shape.prefix else folder.parts) or top, taken)
        all_notes = notes_of_drums([rows[0]["class"] for rows in drums])
        instruments = []
        least_db = min(_gain_db(rows) for rows in drums)
        for rows, notes in zip(drums, all_notes, strict=True):
            if notes:
                made = _instrument(rows, notes, manifest.parent)
                instruments.append(replace(made, gain_db=least_db - _gain_db(rows)))
            else:
                notices.append(f"{rows[0]['source']}: left out, for no note is free in the kit '{name}'")
        rates = Counter(int(rows[0]["rate"]) for rows in drums)
        rate = max(rates, key=lambda each: (rates[each], each))
        notices += [
            f"{rows[0]['source']}: has {rows[0]['rate']} Hz, and {rate} Hz in the kit '{name}', as most drums there"
            for rows in drums
            if int(rows[0]["rate"]) != rate
        ]
        notices += [
            f"{rows[0]['source']}: {mixed_down(int(rows[0]['channels']), name)}"
            for rows in drums
            if int(rows[0]["channels"]) > MOST_CHANNELS
        ]
        kits.append(_kit(name, instruments, rate, shape))
    return kits, tuple(notices)


def mixed_down(channels: int, kit: str) -> str:
    """Return what to say of a sound with more channels than the samples of a kit have."""
    return f"has {channels} channels, and is mixed down to {MOST_CHANNELS} in the kit '{kit}'"


@contextmanager
def kit_from_pads(
    kit: Kit, spec: Spec, rate: int, shape: KitShape, jobs: int, made: Callable[[int, int], None] = lambda *_: None
) -> Iterator[SamplerKit]:
    """Make the strokes of a kit's pads and yield the sampler kit; its files are removed afterwards.

    Each pad's gain and pan are in its samples: the kit sounds as it does in a render. `made` is called with how many
    strokes are made, and of how many.
    """
    requests = [
        Request(usual_zone(pad), layer * LAYER_STRIDE + turn, high)
        for pad in kit.pads
        for layer, (_, high) in enumerate(layer_bounds(shape.velocities), 1)
        for turn in range(1, shape.count + 1)
    ]
    with TemporaryDirectory(prefix="ghostnote-") as folder, closing(stroke_results(spec, requests, jobs)) as strokes:
        paths = [Path(folder) / f"{number}.wav" for number in range(len(requests))]
        for done, (request, path, audio) in enumerate(zip(requests, paths, strokes, strict=True), 1):
            write_audio(path, _with_gain(audio, request.pad), rate, 32)
            made(done, len(requests))
        each = len(paths) // len(kit.pads)
        instruments = [
            _pad_instrument(pad, paths[at * each : (at + 1) * each], shape) for at, pad in enumerate(kit.pads)
        ]
        yield _kit(kit.name, instruments, rate, shape)


def _kit(name: str, instruments: list[Instrument], rate: int, shape: KitShape) -> SamplerKit:
    """Return the kit, with repeated names numbered."""
    taken: set[str] = set()
    apart = tuple(replace(i, name=distinct_name(i.name, taken, "{} ({})")) for i in instruments)
    return SamplerKit(name, apart, rate, shape.author, shape.licence, shape.credits)


def _instrument(rows: list[Row], notes: tuple[int, ...], folder: Path) -> Instrument:
    """Return the instrument of one source."""
    layers = []
    for number in dict.fromkeys(row["layer"] for row in rows):
        of = [row for row in rows if row["layer"] == number]
        samples = tuple(Sample("", folder / row["path"], min(MOST_CHANNELS, int(row["channels"]))) for row in of)
        layers.append(Layer(int(of[0]["low_velocity"]), int(of[0]["high_velocity"]), samples))
    kind = rows[0]["class"]
    name = PurePosixPath(rows[0]["source"]).name
    return Instrument(name, kind, notes, default_choke(kind), tuple(layers))


def _gain_db(rows: list[Row]) -> float:
    """Return by how much the strokes of one source were turned up; less than 0 where one would have clipped."""
    return float(rows[0]["gain_db"])


def _pad_instrument(pad: Pad, paths: list[Path], shape: KitShape) -> Instrument:
    layers = []
    for number, (low, high) in enumerate(layer_bounds(shape.velocities)):
        of = paths[number * shape.count : (number + 1) * shape.count]
        layers.append(Layer(low, high, tuple(Sample("", path, 2) for path in of)))
    return Instrument(pad.name, pad.drum_class, pad.notes, pad.choke, tuple(layers))


def _with_gain(audio: Audio, pad: Pad) -> Audio:
    return audio * pad_gains(pad)
