"""A corpus without any download: synthesized drums, each with true repeats, and their manifest."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.errors import InputError, OutputError
from ghostnote.bridge.io.atomic_file import output_errors
from ghostnote.bridge.io.audio_file import write_audio
from ghostnote.bridge.io.partial_files import partial_folder
from ghostnote.models.data.manifest import MANIFEST, write_manifest
from ghostnote.models.data.synthetic.recipes import RECIPES
from ghostnote.models.data.synthetic.synthesizer import draw_drum, strike

RATE: Final = 44100
ATTRIBUTION: Final = "ghostnote's drum synthesizer"
LICENCE: Final = "CC0-1.0"
_MAX_LAYERS: Final = 3
_SOFTEST: Final = 0.35
_FLOOR_RATIO: Final = 10 ** (-66 / 20)
_FADE_FRAMES: Final = 128

__all__ = ["draw_drum", "make_corpus", "strike"]


def make_corpus(
    folder: Path,
    drums_per_class: int = 4,
    strokes: int = 8,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Write a corpus of FLAC files with its manifest into a new folder and return the number of hits.

    Each drum is a group of `strokes`, spread over up to three velocity layers of at least two strokes; of
    ten drums of a class one is for validation. `progress` is called with (done, total). Raises `InputError`
    for a number out of range and `OutputError` for a folder that is not empty or cannot be written.
    """
    for name, value, lowest in (("drums", drums_per_class, 1), ("strokes", strokes, 1), ("seed", seed, 0)):
        if value < lowest:
            raise InputError(f"{name} {value} is too small: give {lowest} or more")
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise OutputError(f"{folder} is there already: name a new or empty folder")
    drums = [(name, index) for name in RECIPES for index in range(drums_per_class)]
    rows: list[dict[str, object]] = []
    with _new_folder(folder) as building:
        for name, index in drums:
            split = "valid" if _is_for_validation(index, drums_per_class) else "train"
            for row in _write_drum(building, name, index, strokes, seed):
                rows.append({**row, "split": split})
                if progress:
                    progress(len(rows), len(drums) * strokes)
        write_manifest(building / MANIFEST, rows)
    return len(rows)


def _write_drum(folder: Path, name: str, index: int, strokes: int, seed: int) -> Iterator[dict[str, object]]:
    """Write one drum's strokes and yield their rows of the manifest, without the split."""
    drum = draw_drum(name, seed, index)
    group = f"{name}/{name}{index + 1:03d}"
    (folder / name).mkdir(exist_ok=True)
    layers = max(1, min(_MAX_LAYERS, strokes // 2))
    for stroke in range(strokes):
        layer, repeat = stroke % layers + 1, stroke // layers + 1
        velocity = 1.0 if layers == 1 else _SOFTEST + (1 - _SOFTEST) * (layer - 1) / (layers - 1)
        path = f"{group}_v{layer}_rr{repeat}.flac"
        write_audio(folder / path, _without_silence(strike(drum, velocity, stroke))[None], RATE)
        yield {
            "path": path,
            "class": name,
            "group": group,
            "group_kind": "rr",
            "layer": layer,
            "round_robin": repeat,
            "velocity": round(velocity, 3),
            "licence": LICENCE,
            "attribution": ATTRIBUTION,
        }


def _is_for_validation(index: int, drums: int) -> bool:
    return drums > 1 and index % 10 == min(drums, 10) - 1


def _without_silence(hit: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the hit up to where nothing is audible any more, with a short fade."""
    level = np.abs(hit)
    end = int(np.flatnonzero(level > level.max() * _FLOOR_RATIO)[-1]) + 1
    cut = hit[: end + _FADE_FRAMES].copy()
    fade = min(_FADE_FRAMES, cut.size)
    cut[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return cut


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    """Yield a hidden folder whose contents move to `folder` when the block ends without an error."""
    with output_errors(folder):
        is_new = not folder.is_dir()
        folder.mkdir(exist_ok=True)
        try:
            with partial_folder(folder) as building:
                yield building
                for entry in building.iterdir():
                    entry.rename(folder / entry.name)
            is_new = False
        finally:
            if is_new:
                folder.rmdir()
