"""Writes sampler kits: trimmed samples and a format's text files, in one folder or one archive."""

import gzip
import io
import re
import tarfile
import unicodedata
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.conversion import mixdown, resample
from ghostnote.bridge.dsp.onset import LEAD_LEVEL, onset_frame
from ghostnote.bridge.errors import AudioFileError, InputError, OutputError
from ghostnote.bridge.io.atomic_file import output_errors, write_bytes
from ghostnote.bridge.io.audio_file import read_audio, write_audio
from ghostnote.bridge.io.hit_files import short_name
from ghostnote.bridge.io.partial_files import partial_folder, remove_stale
from ghostnote.bridge.io.printable import printable
from ghostnote.bridge.sampler.decent import decent_files
from ghostnote.bridge.sampler.drumgizmo import drumgizmo_files
from ghostnote.bridge.sampler.hydrogen import hydrogen_files, within_limits
from ghostnote.bridge.sampler.instrument import CREDITS_FILE, MOST_CHANNELS, Instrument, Layer, Sample, SamplerKit
from ghostnote.bridge.sampler.sfz import sfz_files

SAMPLE_BITS: Final = 24

_PREROLL_SECONDS: Final = 0.0005
_TAIL_LEVEL: Final = 10 ** (-80 / 20)
_TAIL_FADE_SECONDS: Final = 0.005
_NAME_BYTES: Final = 200
"""Samples and archives add to a name, and 255 is the most."""
_UNSAFE: Final = re.compile(r"[^\w .()+-]+")

Audio = NDArray[np.float32]


def _no_limit(kit: SamplerKit) -> tuple[SamplerKit, tuple[str, ...]]:
    return kit, ()


@dataclass(frozen=True)
class KitFormat:
    """The kit format of one sampler."""

    name: str
    files: Callable[[SamplerKit], dict[str, str]]
    """Makes the text files by name."""
    limit: Callable[[SamplerKit], tuple[SamplerKit, tuple[str, ...]]] = _no_limit
    """Reduces a kit to what the sampler can play, with a message on the rest."""
    samples: str = "samples/"
    """The folder of the samples."""
    archive: str | None = None
    """The ending of an archive of the whole kit; None leaves a folder."""


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
    """Return the formats in a list with commas; `InputError` for an unknown one."""
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in FORMATS:
            raise InputError(f"{name!r} is not a kit format; choose among {','.join(FORMATS)}")
    return [FORMATS[name] for name in dict.fromkeys(names)]


def export_kits(
    kits: Iterable[SamplerKit], forms: Sequence[KitFormat], folder: Path, *, keep: bool = False
) -> tuple[list[Path], list[str]]:
    """Write kits in formats, each in a folder named after the format; return their paths, and what was left out.

    With `keep` a kit that is already there stays as it is, unless a stroke is newer: then it is made anew.
    Errors are as in `export_kit`.
    """
    paths, notes = [], []
    for kit in kits:
        for form in forms:
            path = kit_path(kit, form, folder / form.name)
            if keep and path.exists() and not _is_stale(path, kit):
                notes.append(f"{path}: is already there, and was kept")
                continue
            paths.append(path)
            found = export_kit(kit, form, folder / form.name, replace_old=keep)
            notes += [note for note in found if note not in notes]
    return paths, notes


def _is_stale(path: Path, kit: SamplerKit) -> bool:
    """Return whether a stroke was written after the kit."""
    made = path.stat().st_mtime_ns
    return any(
        sample.origin.stat().st_mtime_ns > made
        for instrument in kit.instruments
        for layer in instrument.layers
        for sample in layer.samples
    )


def kit_path(kit: SamplerKit, form: KitFormat, folder: Path) -> Path:
    """Return the path of a kit's folder or archive."""
    return folder / f"{safe_name(kit.name)}{form.archive or ''}"


def safe_name(text: str) -> str:
    """Return a file name of letters of any script, digits, spaces and a few punctuation marks."""
    safe = _UNSAFE.sub("_", unicodedata.normalize("NFC", text)).strip(" .") or "kit"
    return short_name(safe, _NAME_BYTES)


def export_kit(kit: SamplerKit, form: KitFormat, folder: Path, *, replace_old: bool = False) -> list[str]:
    """Write a kit in one format into `folder`, under `kit_path`; return what it cannot hold.

    That is what the format has no room for, and strokes that cannot be read. The kit includes its samples, so it may
    be moved. It appears when it is complete. `OutputError` when it exists already and is not to be replaced, or cannot
    be written.
    """
    target = kit_path(kit, form, folder)
    kit, found = form.limit(_printable(kit))
    notes = [*found]
    with output_errors(target):
        folder.mkdir(parents=True, exist_ok=True)
        if target.exists() and not replace_old:
            raise OutputError(f"{target}: is already there; move it away, or choose another folder")
        remove_stale(folder)
    with output_errors(target), partial_folder(folder) as work:
        inside = work / kit.name
        (inside / form.samples).mkdir(parents=True)
        notes += _write_kit(kit, form, inside)
        if form.archive:
            write_bytes(target, _archive(inside))
        else:
            if target.exists():
                target.rename(work / "replaced")
            inside.rename(target)
    return notes


def _printable(kit: SamplerKit) -> SamplerKit:
    """Return the kit with texts of one line each, which no format takes for more than a text."""
    instruments = tuple(replace(each, name=printable(each.name)) for each in kit.instruments)
    author, licence, *credits = map(printable, (kit.author, kit.licence, *kit.credits))
    return SamplerKit(safe_name(kit.name), instruments, kit.rate, author, licence, tuple(credits))


def _write_kit(kit: SamplerKit, form: KitFormat, folder: Path) -> list[str]:
    """Write samples and text files; return a line for each stroke that is left out."""
    instruments: list[Instrument] = []
    left_out: list[str] = []
    for number, instrument in enumerate(kit.instruments, 1):
        name = f"{number:03d} {safe_name(instrument.name)}"
        layers = tuple(
            replace(layer, samples=_with_files(layer.samples, f"{form.samples}{name} v{at}"))
            for at, layer in enumerate(instrument.layers, 1)
        )
        leads = _leads(layers, left_out)
        if leads:
            instruments.append(_with_samples(replace(instrument, layers=_kept(layers, leads)), kit.rate, folder, leads))
    files = form.files(replace(kit, instruments=tuple(instruments)))
    for file, text in (files | ({CREDITS_FILE: kit.model_credits} if kit.credits else {})).items():
        write_bytes(folder / file, text.encode())
    return left_out


def _with_files(samples: Sequence[Sample], stem: str) -> tuple[Sample, ...]:
    return tuple(replace(s, file=f"{stem} rr{turn}.wav") for turn, s in enumerate(samples, 1))


def _leads(layers: Iterable[Layer], left_out: list[str]) -> dict[Path, float]:
    """Return the silence before each stroke in seconds, less a pre-roll; `left_out` gets those that cannot be read."""
    leads = {}
    for sample in (sample for layer in layers for sample in layer.samples):
        try:
            audio, rate = read_audio(sample.origin)
            leads[sample.origin] = max(0.0, onset_frame(audio, LEAD_LEVEL) / rate - _PREROLL_SECONDS)
        except AudioFileError as error:
            left_out.append(f"a stroke is left out of the kit: {error}")
    return leads


def _kept(layers: Sequence[Layer], origins: Container[Path]) -> tuple[Layer, ...]:
    """Return layers of these strokes alone; where a layer has none its velocities go to its neighbour."""
    kept: list[Layer] = []
    for layer in layers:
        samples = tuple(sample for sample in layer.samples if sample.origin in origins)
        if samples:
            kept.append(replace(layer, low=kept[-1].high + 1 if kept else layers[0].low, samples=samples))
    kept[-1] = replace(kept[-1], high=layers[-1].high)
    return tuple(kept)


def _with_samples(instrument: Instrument, rate: int, folder: Path, leads: Mapping[Path, float]) -> Instrument:
    """Write an instrument's samples, trimmed alike, and return it with their numbers of channels."""
    lead, gain = min(leads.values()), np.float32(10 ** (instrument.gain_db / 20))

    def written(sample: Sample) -> Sample:
        audio = _trim(*read_audio(sample.origin), rate, lead) * gain
        write_audio(folder / sample.file, audio, rate, SAMPLE_BITS)
        return replace(sample, channels=len(audio))

    def layer_written(layer: Layer) -> Layer:
        return replace(layer, samples=tuple(map(written, layer.samples)))

    return replace(instrument, layers=tuple(map(layer_written, instrument.layers)))


def _trim(audio: Audio, rate_in: int, rate: int, lead_seconds: float) -> Audio:
    """Return a sample at the kit's rate without silence at its ends, in mono where both sides are equal."""
    audio = mixdown(audio, MOST_CHANNELS) if len(audio) > MOST_CHANNELS else audio
    if len(audio) == 2 and np.array_equal(audio[0], audio[1]):
        audio = audio[:1]
    level = np.abs(audio).max(axis=0)
    end = int(np.flatnonzero(level > _TAIL_LEVEL * level.max())[-1]) + 1
    cut = audio[:, round(lead_seconds * rate_in) : end].copy()
    fade = min(cut.shape[1], round(_TAIL_FADE_SECONDS * rate_in))
    if end < audio.shape[1]:
        cut[:, cut.shape[1] - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return resample(cut, rate_in, rate)


def _archive(folder: Path) -> bytes:
    """Return a folder as a tar.gz archive, without times and owners: the same kit gives the same bytes."""
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
