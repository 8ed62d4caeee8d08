"""Writes sampler kits: samples without dead time, the texts of a format, all in one folder or one archive."""

import gzip
import io
import re
import tarfile
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.onset import LEAD_LEVEL, onset_frame
from ghostnote.bridge.errors import InputError, OutputError
from ghostnote.bridge.io.atomic_file import output_errors, write_bytes
from ghostnote.bridge.io.audio_file import mixdown, read_audio, resample, write_audio
from ghostnote.bridge.io.partial_files import clear_leftovers, held_folder, part_of
from ghostnote.bridge.sampler.decent import decent_files
from ghostnote.bridge.sampler.drumgizmo import drumgizmo_files
from ghostnote.bridge.sampler.hydrogen import hydrogen_files, within_limits
from ghostnote.bridge.sampler.instrument import Instrument, Layer, Sample, SamplerKit
from ghostnote.bridge.sampler.sfz import sfz_files

SAMPLE_BITS: Final = 24

_RUN_UP_SECONDS: Final = 0.0005
_TAIL_LEVEL: Final = 10 ** (-80 / 20)
_TAIL_FADE_SECONDS: Final = 0.005
_UNSAFE: Final = re.compile(r"[^\w .()+-]+")

Audio = NDArray[np.float32]


def _unlimited(kit: SamplerKit) -> tuple[SamplerKit, str | None]:
    return kit, None


@dataclass(frozen=True)
class KitFormat:
    """How one sampler wants a kit."""

    name: str
    files: Callable[[SamplerKit], dict[str, str]]
    """The texts by file name."""
    limited: Callable[[SamplerKit], tuple[SamplerKit, str | None]] = _unlimited
    """What of a kit the sampler can play, and a sentence on the rest."""
    samples: str = "samples/"
    """Where the samples lie."""
    archive: str | None = None
    """The ending of the one file that all is packed into; None leaves a folder."""


FORMATS: Final = {
    f.name: f
    for f in (
        KitFormat("sfz", sfz_files),
        KitFormat("hydrogen", hydrogen_files, within_limits, "", ".h2drumkit"),
        KitFormat("drumgizmo", drumgizmo_files),
        KitFormat("decent", decent_files),
    )
}
"""The samplers that kits can be exported to, by name."""


def parse_formats(text: str) -> list[KitFormat]:
    """Return the formats in a list with commas; `InputError` for one that there is not."""
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in FORMATS:
            raise InputError(f"there is no kit format {name!r}; choose among {','.join(FORMATS)}")
    return [FORMATS[name] for name in dict.fromkeys(names)]


def export_kits(
    kits: Iterable[SamplerKit], forms: Sequence[KitFormat], folder: Path, *, keep: bool = False
) -> tuple[list[Path], list[str]]:
    """Write kits in formats, each format in a folder of its name; return their paths, and what was left out.

    With `keep` a kit that is already there stays as it is. Errors are as in `export_kit`.
    """
    paths, notes = [], []
    for kit in kits:
        for form in forms:
            path = kit_path(kit, form, folder / form.name)
            if keep and path.exists():
                notes.append(f"{path}: is already there, and was kept")
                continue
            paths.append(path)
            note = export_kit(kit, form, folder / form.name)
            notes += [note] if note and note not in notes else []
    return paths, notes


def kit_path(kit: SamplerKit, form: KitFormat, folder: Path) -> Path:
    """Return where a kit goes."""
    return folder / f"{safe_name(kit.name)}{form.archive or ''}"


def safe_name(text: str) -> str:
    """Return a file name of letters of any script, digits, spaces and a few signs."""
    return _UNSAFE.sub("_", unicodedata.normalize("NFC", text)).strip(" .") or "kit"


def export_kit(kit: SamplerKit, form: KitFormat, folder: Path) -> str | None:
    """Write a kit in one format into `folder`, under `kit_path`; return what the format has no room for.

    The kit holds its samples and may be moved anywhere. It appears when it is whole. `OutputError` when
    it is already there, or cannot be written.
    """
    target = kit_path(kit, form, folder)
    kit, note = form.limited(replace(kit, name=safe_name(kit.name)))
    with output_errors(target):
        folder.mkdir(parents=True, exist_ok=True)
        if target.exists():
            raise OutputError(f"{target}: is already there; move it away, or choose another folder")
        clear_leftovers(folder)
    work = part_of(folder)
    with output_errors(target), held_folder(work):
        inside = work / kit.name
        (inside / form.samples).mkdir(parents=True)
        _write_kit(kit, form, inside)
        if form.archive:
            write_bytes(target, _packed(inside))
        else:
            inside.rename(target)
    return note


def _write_kit(kit: SamplerKit, form: KitFormat, folder: Path) -> None:
    """Write samples and texts."""
    placed = []
    for number, instrument in enumerate(kit.instruments, 1):
        name = f"{number:03d} {safe_name(instrument.name)}"
        layers = tuple(
            replace(layer, samples=_named(layer.samples, f"{form.samples}{name} v{at}"))
            for at, layer in enumerate(instrument.layers, 1)
        )
        placed.append(_with_samples(replace(instrument, layers=layers), kit.rate, folder))
    for file, text in form.files(replace(kit, instruments=tuple(placed))).items():
        write_bytes(folder / file, text.encode())


def _named(samples: Sequence[Sample], stem: str) -> tuple[Sample, ...]:
    return tuple(replace(s, file=f"{stem} rr{turn}.wav") for turn, s in enumerate(samples, 1))


def _with_samples(instrument: Instrument, rate: int, folder: Path) -> Instrument:
    """Write an instrument's samples, cut alike, and return it with what they are."""
    samples = [sample for layer in instrument.layers for sample in layer.samples]
    lead = min(_lead_seconds(*read_audio(sample.origin)) for sample in samples)

    def written(sample: Sample) -> Sample:
        audio = _cut(*read_audio(sample.origin), rate, lead)
        write_audio(folder / sample.file, audio, rate, SAMPLE_BITS)
        return replace(sample, channels=len(audio))

    def layer_written(layer: Layer) -> Layer:
        return replace(layer, samples=tuple(map(written, layer.samples)))

    return replace(instrument, layers=tuple(map(layer_written, instrument.layers)))


def _lead_seconds(audio: Audio, rate: int) -> float:
    """Return how long the silence before a hit is."""
    return max(0.0, onset_frame(audio, LEAD_LEVEL) / rate - _RUN_UP_SECONDS)


def _cut(audio: Audio, rate_in: int, rate: int, lead_seconds: float) -> Audio:
    """Return a sample without silence at its ends, mono where both sides are one, at the kit's rate."""
    audio = mixdown(audio, 2) if len(audio) > 2 else audio
    if len(audio) == 2 and np.array_equal(audio[0], audio[1]):
        audio = audio[:1]
    level = np.abs(audio).max(axis=0)
    end = int(np.flatnonzero(level > _TAIL_LEVEL * level.max())[-1]) + 1
    cut = audio[:, round(lead_seconds * rate_in) : end].copy()
    fade = min(cut.shape[1], round(_TAIL_FADE_SECONDS * rate_in))
    if end < audio.shape[1]:
        cut[:, cut.shape[1] - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return resample(cut, rate_in, rate)


def _packed(folder: Path) -> bytes:
    """Return a folder as a tar archive in gzip, without times and owners: the same kit, the same bytes."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.GNU_FORMAT) as archive,
    ):
        for path in (folder, *sorted(folder.rglob("*"))):
            entry = archive.gettarinfo(path, str(path.relative_to(folder.parent)))
            entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname = 0, 0, 0, "", ""
            if path.is_dir():
                archive.addfile(entry)
            else:
                with path.open("rb") as file:
                    archive.addfile(entry, file)
    return packed.getvalue()
