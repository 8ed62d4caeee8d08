"""A folder of drum hits: what is in it, its splits, and the hits as arrays."""

import os
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.classify.finder import FoundDrum, find_drums
from ghostnote.bridge.dsp.conversion import mixdown, resample
from ghostnote.bridge.dsp.onset import LEAD_SECONDS, onset_frame
from ghostnote.bridge.dsp.velocity import FULL_VELOCITY
from ghostnote.bridge.errors import AudioFileError, CorpusError
from ghostnote.bridge.io.audio_checks import SILENCE_PEAK
from ghostnote.bridge.io.audio_file import read_audio
from ghostnote.bridge.io.hit_files import HIT_SUFFIXES, listed_stems
from ghostnote.bridge.kinds import kind_from_name
from ghostnote.models.data.manifest import MANIFEST, HitFile, Skipped, read_manifest

VALID_SHARE: Final = 0.1
"""The share of groups that is kept for validation where a manifest does not say."""

_LATE_SECONDS: Final = 0.01
_FADE_SECONDS: Final = 0.005

__all__ = ["VALID_SHARE", "Corpus", "HitFile", "Skipped", "load_hits", "load_splits", "scan"]


@dataclass(frozen=True)
class Corpus:
    """The usable files of a folder, in a stable order, and the others with the reason why not."""

    hits: tuple[HitFile, ...]
    skipped: tuple[Skipped, ...]


def scan(folder: Path) -> Corpus:
    """Return the hits of a folder: by its `manifest.csv`, or else by the names of files and folders.

    Hidden files are ignored. Raises `CorpusError` where there is no folder or nothing usable in it.
    """
    hits, skipped = _found(folder)
    return Corpus(tuple(_with_splits(hits)), tuple(skipped))


def _found(folder: Path) -> tuple[list[HitFile], list[Skipped]]:
    """Return the hits of a folder, `split` empty where nothing says it, and the files that are left out."""
    if not folder.is_dir():
        raise CorpusError(f"{folder} is not a folder: give a folder with drum hits in it")
    manifest = folder / MANIFEST
    hits, skipped = read_manifest(manifest) if manifest.is_file() else _from_names(folder)
    if not hits:
        why = f"; skipped: {skipped[0][0]} {skipped[0][1]} (and {len(skipped) - 1} more)" if skipped else ""
        raise CorpusError(
            f"{folder} holds no drum hit: audio files ({' '.join(sorted(HIT_SUFFIXES))}) must be in it, "
            f"named or foldered by class, as in 'snare/snare_v3_rr2.wav'{why}"
        )
    return hits, skipped


Split = tuple[NDArray[np.float32], list[HitFile]]
"""Audio as `load_hits` returns it, and its files."""


def load_splits(folder: Path, wanted: Sequence[str]) -> tuple[Mapping[str, Split], list[Skipped]]:
    """Return each split of a corpus that is `wanted`, 'all' for all hits, and the files that were left out.

    Where no manifest says the split it is made of the files that can be read. Raises `CorpusError` for a split without
    a hit.
    """
    hits, skipped = _found(folder)
    if "all" not in wanted and all(hit.split for hit in hits):
        _require(folder, hits, wanted)
        hits = [hit for hit in hits if hit.split in wanted]
    audio, loaded, unusable = load_hits(hits)
    loaded = _with_splits(loaded)
    _require(folder, loaded, wanted)
    splits: dict[str, Split] = {}
    for name in wanted:
        at = [place for place, hit in enumerate(loaded) if name in ("all", hit.split)]
        # A corpus may take gigabytes: no copy of the whole.
        splits[name] = (audio if len(at) == len(loaded) else audio[at], [loaded[place] for place in at])
    return splits, [*skipped, *unusable]


def _require(folder: Path, hits: Sequence[HitFile], wanted: Sequence[str]) -> None:
    known = {hit.split for hit in hits}
    for name in wanted:
        if name not in known | {"all"}:
            there = ", ".join(sorted(known))
            raise CorpusError(f"{folder} has no hit in the split '{name}', only in {there}: put more drums in it")


def load_hits(
    hits: Sequence[HitFile], frames: int = 32768, rate: int = 44100, progress: Callable[[int, int], None] | None = None
) -> tuple[NDArray[np.float32], list[HitFile], list[Skipped]]:
    """Return `(hits, frames)` mono audio at `rate` Hz, its files, and those left out with the reason.

    Channels are averaged, silence before the onset is cut, the end is padded or faded and cut; levels are
    kept. `progress` is called with (done, total). Raises `CorpusError` when not one file can be used.
    """
    audio = np.zeros((len(hits), frames), np.float32)
    loaded: list[HitFile] = []
    skipped: list[Skipped] = []
    with ThreadPoolExecutor(min(8, (os.cpu_count() or 1) + 2)) as pool:
        results = pool.map(lambda hit: _try_load(hit.path, frames, rate), hits)
        for done, (hit, result) in enumerate(zip(hits, results, strict=True), 1):
            if isinstance(result, str):
                skipped.append((hit.path, result))
            else:
                audio[len(loaded)] = result
                loaded.append(hit)
            if progress:
                progress(done, len(hits))
    if hits and not loaded:
        raise CorpusError(f"none of {len(hits)} hits can be used; the first, {skipped[0][0]}, {skipped[0][1]}")
    return audio[: len(loaded)], loaded, skipped


def _from_names(folder: Path) -> tuple[list[HitFile], list[Skipped]]:
    skipped: list[Skipped] = []
    files: list[tuple[Path, Path]] = []
    for path in _audio_files(folder, skipped):
        text = str(path).encode(errors="replace").decode()
        if text == str(path):
            files.append((path, folder))
        else:
            skipped.append((Path(text), "has a name that is not UTF-8: rename it"))
    found = find_drums(files, by_sound=True)
    hits: list[HitFile] = []
    for drum in found.drums:
        if drum.guess:
            hits += _hits_of(drum, drum.guess.drum_class)
        else:
            skipped.append((drum.loudest, found.unusable[drum.loudest].removeprefix(f"{drum.loudest}: ")))
    order = {path: place for place, (path, _) in enumerate(files)}
    return sorted(hits, key=lambda hit: order[hit.path]), skipped


def _audio_files(folder: Path, skipped: list[Skipped]) -> Iterator[Path]:
    def unreadable(error: OSError) -> None:
        skipped.append((Path(str(error.filename)), f"is a folder that cannot be read: {error.strerror}"))

    for parent, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        stems = listed_stems(Path(parent))
        for name in sorted(set(files) - stems):
            if not name.startswith(".") and Path(name).suffix.lower() in HIT_SUFFIXES:
                yield Path(parent, name)


def _hits_of(drum: FoundDrum, drum_class: str) -> list[HitFile]:
    """Return a drum's strokes as files of one group."""
    group = f"{drum_class}:{drum.group}"
    tops = sorted({stroke.velocities for stroke in drum.strokes})
    kind = "velocity" if len(tops) == len(drum.strokes) else "rr"
    return [
        HitFile(
            path=stroke.path,
            drum_class=drum_class,
            group=group,
            group_kind="single" if len(drum.strokes) == 1 else kind,
            layer=str(tops.index(stroke.velocities) + 1) if len(tops) > 1 else "",
            velocity=stroke.velocities[1] / FULL_VELOCITY if len(tops) > 1 else None,
            split="",
            credit="",
            kind=kind_from_name(drum_class, stroke.path.stem),
        )
        for stroke in drum.strokes
    ]


def _with_splits(hits: Sequence[HitFile]) -> list[HitFile]:
    """Give hits without a split one, by a hash of the group that is the same on every machine."""
    ranks = {hit.group: zlib.crc32(hit.group.encode()) / 2**32 for hit in hits if not hit.split}
    valid = {group for group, rank in ranks.items() if rank < VALID_SHARE}
    if len(ranks) >= 2:
        # Neither side may be left empty in a small corpus.
        in_order = sorted(ranks, key=lambda group: (ranks[group], group))
        valid = (valid | {in_order[0]}) - {in_order[-1]}
    else:
        valid = set()
    return [h if h.split else replace(h, split="valid" if h.group in valid else "train") for h in hits]


def _try_load(path: Path, frames: int, rate: int) -> NDArray[np.float32] | str:
    """Return one hit's `(frames,)` audio, or why it cannot be used."""
    try:
        audio, rate_in = read_audio(path)
    except AudioFileError as error:
        return str(error).removeprefix(f"{path}: ")
    mono = mixdown(audio, 1)[0]
    if np.abs(mono).max() < SILENCE_PEAK:
        return "is silent in mono: its channels cancel each other out"
    needed = int(np.ceil(frames * rate_in / rate)) + rate_in // 10
    trimmed = _from_onset(mono, rate_in)[None, :needed]
    return fitted(resample(trimmed, rate_in, rate)[0], frames, rate)


def _from_onset(mono: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    onset = onset_frame(mono[None])
    return mono[onset - int(LEAD_SECONDS * rate) :] if onset > _LATE_SECONDS * rate else mono


def fitted(mono: NDArray[np.float32], frames: int, rate: int) -> NDArray[np.float32]:
    """Return a sound (any,) padded, or faded and cut, to (frames,)."""
    fade = min(int(_FADE_SECONDS * rate), frames, mono.size)
    cut = mono[:frames].copy()
    if fade:
        cut[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return np.pad(cut, (0, frames - cut.size))
