"""Kits of other samplers: found in a file, a folder or an archive, and read as kits of pads."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ghostnote.bridge.errors import KitError
from ghostnote.bridge.io.hit_files import hit_files
from ghostnote.bridge.kit.create import pads_from_files
from ghostnote.bridge.kit.importers.archive import ARCHIVES, is_archive, unpack
from ghostnote.bridge.kit.importers.decent import read_decent
from ghostnote.bridge.kit.importers.drumgizmo import read_drumgizmo
from ghostnote.bridge.kit.importers.hydrogen import read_hydrogen
from ghostnote.bridge.kit.importers.mixdown import mixed_down, needs_mixing
from ghostnote.bridge.kit.importers.pads import pads_of
from ghostnote.bridge.kit.importers.region import Found
from ghostnote.bridge.kit.importers.sfz import read_sfz
from ghostnote.bridge.kit.kit import DEFAULT_SEED, Kit

PROGRAMS: Final = (".sfz", ".dspreset", ".xml")
"""The endings of other samplers' kits."""
_HEAD_BYTES: Final = 4_096
_MOST_NAMED: Final = 6


@dataclass(frozen=True)
class ImportChoices:
    """What of a source to import."""

    preset: str | None = None
    """Which of several kits in it, by the name of its file."""
    channels: tuple[str, ...] = ()
    """Which of DrumGizmo's output channels are mixed; none for each drum's main ones."""
    partial: bool = False
    """Whether a kit that lacks samples is imported without them."""


@dataclass(frozen=True)
class Imported:
    """A kit that was read, whose files lie where they are."""

    kit: Kit
    root: Path
    """The folder that its files lie in."""
    report: tuple[str, ...]
    """What was not taken over or had to be decided, a sentence each."""


def is_source(path: Path) -> bool:
    """Return whether a path is a kit of another sampler, or a folder, and not a kit file."""
    return path.is_dir() or is_archive(path) or path.suffix.lower() in PROGRAMS


def source_name(path: Path) -> str:
    """Return what a source is called: its name without its ending."""
    if path.is_dir():
        return path.resolve().name
    ending = next((each for each in ARCHIVES if path.name.lower().endswith(each)), path.suffix)
    return path.name[: len(path.name) - len(ending)] or path.name


def chosen_program(path: Path, choices: ImportChoices) -> Path:
    """Return the file that a source is read from: itself, or the kit's file in a folder."""
    return (_program(path, choices) if path.is_dir() else None) or path


def needs_room(path: Path, choices: ImportChoices) -> bool:
    """Return whether a source cannot be played where it lies: an archive, or microphones to be mixed."""
    if is_archive(path):
        return True
    program = chosen_program(path, choices)
    return program.is_file() and _kind(program) == "drumkit" and needs_mixing(_read(program, _root(path), choices))


def read_source(path: Path, work: Path, choices: ImportChoices) -> Imported:
    """Read a kit of another sampler, or a folder of sounds; what must be unpacked or mixed goes into `work`.

    `KitError` for a source that is not there, holds no kit or several, or lacks samples.
    """
    if not path.exists():
        raise KitError(f"{path}: there is no such file or folder; check the path")
    name = source_name(path)
    if is_archive(path):
        unpack(path, work / "source")
        path = work / "source"
    program = _program(path, choices) if path.is_dir() else path
    if program is None:
        return _from_sounds(path, name)
    found = _read(program, _root(path), choices)
    if found.missing and not (choices.partial and found.regions):
        names = list(dict.fromkeys(found.missing))
        raise KitError(
            f"{program}: {len(names)} of its samples are not there: {', '.join(names[:_MOST_NAMED])}"
            f"{' and others' if len(names) > _MOST_NAMED else ''}; put them back, or add --partial to do without them"
        )
    if found.missing:
        found.left_out["regions whose sample is missing"] += len(found.missing)
    if not found.regions:
        raise KitError(
            f"{program}: holds no stroke that a note plays" + "".join(f"; {line}" for line in found.report())
        )
    mixed_down(found, work / "mixed")
    pads = pads_of(found)
    return Imported(Kit(found.name.strip() or name, DEFAULT_SEED, pads), _root(path), tuple(found.report()))


def _root(path: Path) -> Path:
    return path if path.is_dir() else path.parent


def _read(program: Path, root: Path, choices: ImportChoices) -> Found:
    kind = _kind(program)
    if kind == "drumkit":
        return read_drumgizmo(program, root, choices.channels)
    if choices.channels:
        raise KitError(f"{program}: is not a DrumGizmo kit, and has no channels to choose; leave --channels out")
    readers = {"sfz": read_sfz, "dspreset": read_decent, "drumkit_info": read_hydrogen}
    if kind not in readers:
        raise KitError(f"{program}: is not a kit of SFZ, Hydrogen, DrumGizmo or DecentSampler; name one")
    return readers[kind](program, root)


def _kind(program: Path) -> str:
    """Return which sampler's kit a file is, by its ending or its first element."""
    suffix = program.suffix.lower()
    if suffix != ".xml":
        return suffix[1:]
    try:
        with program.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise KitError(f"{program}: cannot be opened ({error.strerror}); check the path") from error
    if b"<drumkit_info" in head or b"<formatVersion" in head:
        return "drumkit_info"
    return "drumkit" if b"<drumkit" in head else ""


def _program(folder: Path, choices: ImportChoices) -> Path | None:
    """Return the kit's file in a folder: the one that was chosen, or the only one that lies highest."""
    files = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in PROGRAMS and path.is_file()]
    kits = [path for path in files if not path.name.startswith((".", "__")) and _kind(path)]
    if choices.preset is not None:
        wanted = choices.preset.casefold()
        chosen = [path for path in kits if wanted in (path.name.casefold(), path.stem.casefold())]
        if len(chosen) != 1:
            raise KitError(f"{folder}: has no kit {choices.preset!r}{_offer(kits, folder)}")
        return chosen[0]
    depth = min((len(path.parts) for path in kits), default=0)
    highest = [path for path in kits if len(path.parts) == depth]
    if len(highest) > 1:
        raise KitError(f"{folder}: holds {len(highest)} kits; choose one with --preset{_offer(highest, folder)}")
    return highest[0] if highest else None


def _offer(kits: Sequence[Path], folder: Path) -> str:
    names = [path.relative_to(folder).name for path in kits[:_MOST_NAMED]]
    return f": {', '.join(names)}{' and others' if len(kits) > _MOST_NAMED else ''}" if names else ""


def _from_sounds(folder: Path, name: str) -> Imported:
    """Return a kit of a folder's sound files, by their names and sounds."""
    made = pads_from_files([(file, folder) for file in hit_files(folder)])
    if not made.pads:
        reasons = "".join(f"; {reason}" for reason in made.skipped[:3])
        raise KitError(f"{folder}: holds no kit and no sound file that can be a hit{reasons}")
    report = (*(f"left out {reason}" for reason in made.skipped), *made.guessed)
    return Imported(replace(Kit(name, DEFAULT_SEED, made.pads), path=None), folder, report)
