"""Makes new kit files: from the default kit, or from a folder of hits by their names."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ghostnote.bridge.drums import CLASSES, DrumClass, class_from_name
from ghostnote.bridge.errors import AudioFileError, KitError
from ghostnote.bridge.io.audio_file import read_audio
from ghostnote.bridge.io.hit_files import distinct_name, hit_files
from ghostnote.bridge.kit.choke import default_choke
from ghostnote.bridge.kit.fields import FieldError, check_name, check_text, path_inside, quoted
from ghostnote.bridge.kit.kit import DEFAULT_KIT, DEFAULT_SEED, Kit, Pad, default_kit, pad_seed, parse_kit
from ghostnote.bridge.kit.notes import share_notes
from ghostnote.bridge.kit.save import kit_text

_TOM_HEIGHTS: Final = {"floor": 0, "low": 1, "lo": 1, "lt": 1, "mid": 2, "mt": 2, "high": 3, "hi": 3, "ht": 3}
_MIDDLE_HEIGHT: Final = 2


@dataclass(frozen=True)
class NewKit:
    """A kit file to be written, and the sound files that are not in it."""

    text: str
    """The TOML text, with comments."""
    pads: int
    """How many pads it has."""
    skipped: tuple[str, ...]
    """For each file without a pad its name and the reason."""


def kit_from_default(name: str) -> NewKit:
    """Return a copy of the default kit under another name; the model generates all its drums."""
    keys, pads = _default_parts()
    return NewKit(f"{keys}name = {quoted(name)}\n{pads}", len(default_kit().pads), ())


def kit_from_hits(name: str, hits: Path, folder: Path) -> NewKit:
    """Return a kit with one pad for each sound file in `hits`, for a kit file in `folder`.

    A file's class is the one that its name says, or else its folder's; the General MIDI notes of a class are
    shared out among its files in the order of their names, toms from low to high. `KitError` if `hits` does
    not lie in `folder` or below, or holds no file that can be used.
    """
    if not hits.is_dir():
        raise KitError(f"{hits}: there is no such folder of hits; check the path")
    if path_inside(hits, folder) is None:
        raise KitError(f"{hits}: lies outside {folder}; write the kit file beside or above its hits")
    skipped: list[str] = []
    files = [path for path in hit_files(hits) if _is_usable(path, hits, skipped)]
    taken: set[str] = set()
    pads = []
    for kind in CLASSES:
        own = [path for path in files if _class_of(path, hits) == kind.name]
        for path, notes in _with_notes(kind, own, skipped):
            pad_name = distinct_name(path.stem, taken)
            seed = pad_seed(DEFAULT_SEED, pad_name)
            pads.append(Pad(pad_name, notes, kind.name, path, choke=default_choke(kind.name), seed=seed))
    if not pads:
        raise KitError(f"{hits}: holds no hit for a kit" + "".join(f"; {reason}" for reason in skipped[:3]))
    text = _default_parts()[0] + kit_text(Kit(name, DEFAULT_SEED, tuple(pads)), folder)
    parse_kit(text, folder, name)
    return NewKit(text, len(pads), tuple(skipped))


def _class_of(path: Path, folder: Path) -> str | None:
    """Return the class that a file's name says, or else the nearest folder's inside `folder`."""
    parts = [path.stem, *reversed(path.relative_to(folder).parent.parts)]
    return next((found for part in parts if (found := class_from_name(part))), None)


def _is_usable(path: Path, folder: Path, skipped: list[str]) -> bool:
    """Return whether a file can be a pad's hit; if not, add the reason to `skipped`."""
    try:
        check_name("its name", path.stem)
        check_text("its path", str(path.relative_to(folder.parent)))
        read_audio(path)
    except FieldError as error:
        skipped.append(f"{path}: {error}")
    except AudioFileError as error:
        skipped.append(str(error))
    except MemoryError:
        skipped.append(f"{path}: needs more memory than there is; cut it")
    else:
        if _class_of(path, folder):
            return True
        skipped.append(f"{path}: its name says no drum; rename it, or add a pad for it by hand")
    return False


def _with_notes(kind: DrumClass, files: Sequence[Path], skipped: list[str]) -> Iterator[tuple[Path, tuple[int, ...]]]:
    """Yield each file of a class with its notes; where notes run out, add that to `skipped`."""
    if kind.name == "tom":
        # Numbered toms are counted from the highest down.
        files = [*files[::-1]]
        files.sort(key=_tom_height)
    shares = share_notes(kind, len(files))
    without = files[len(shares) :]
    if without:
        skipped.append(f"{without[0]} and all after it ({len(without)} in all): no {kind.name} note is free")
    yield from zip(files, shares, strict=False)


def _tom_height(path: Path) -> int:
    """Return how high a tom is by its name, 0 lowest."""
    words = re.findall(r"[a-z]+", path.stem.lower())
    return next((height for word, height in _TOM_HEIGHTS.items() if word in words), _MIDDLE_HEIGHT)


def _default_parts() -> tuple[str, str]:
    """Return the default kit file's explanation of the keys, and what follows its name."""
    text = DEFAULT_KIT.read_text("utf-8")
    keys, named = text[text.index("# The model") :].split("\nname = ", 1)
    return f"# A kit for ghostnote.\n#\n{keys}\n", named.split("\n", 1)[1]
