"""Kits of other samplers: found in a file, a folder or an archive, and read as kits of pads."""

from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Final

from ghostnote.bridge.errors import KitError
from ghostnote.bridge.io.hit_files import HIT_SUFFIXES, hits_at, unread_sounds, without_stems
from ghostnote.bridge.io.input_file import real_path
from ghostnote.bridge.io.printable import shortened
from ghostnote.bridge.kit.create import pads_from_files
from ghostnote.bridge.kit.fields import usable_text
from ghostnote.bridge.kit.importers.archive import ARCHIVES, PACKED, is_archive, unpack
from ghostnote.bridge.kit.importers.choose import PROGRAMS, kind_of, program_in
from ghostnote.bridge.kit.importers.decent import read_decent
from ghostnote.bridge.kit.importers.drumgizmo import read_drumgizmo
from ghostnote.bridge.kit.importers.hydrogen import read_hydrogen
from ghostnote.bridge.kit.importers.mixdown import mixed_down, needs_mixing
from ghostnote.bridge.kit.importers.pads import pads_of
from ghostnote.bridge.kit.importers.region import Found
from ghostnote.bridge.kit.importers.sfz import read_sfz
from ghostnote.bridge.kit.kit import DEFAULT_SEED, Kit, Pad

UNPACKED: Final = "source"
"""The folder that an archive is unpacked into."""
_MOST_NAMED: Final = 6


@dataclass(frozen=True)
class ImportChoices:
    """What of a source to import."""

    preset: str | None = None
    """Which of several kits in it, by its path in there, or by the end of it: its file, or its folder alone."""
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
    """Return whether a path is a kit of another sampler, a folder or a sound file, and not a kit file."""
    return path.is_dir() or is_archive(path) or path.suffix.lower() in (*PROGRAMS, *HIT_SUFFIXES)


def source_name(path: Path) -> str:
    """Return what a source is called: its name without its ending."""
    if path.is_dir():
        return real_path(path).name
    ending = next((each for each in ARCHIVES if path.name.lower().endswith(each)), path.suffix)
    return path.name[: len(path.name) - len(ending)] or path.name


def kit_name(path: Path, choices: ImportChoices) -> str:
    """Return what a source's kit is called: after the preset where one is chosen, without its ending."""
    name = PurePosixPath((choices.preset or "").replace("\\", "/"))
    return (name.stem if name.suffix.lower() in (*PROGRAMS, *PACKED) else name.name) or source_name(path)


def _kit(title: str, name: str, pads: tuple[Pad, ...]) -> Kit:
    """Return a kit that is called by its title, or else by the `name` of its source."""
    return Kit(usable_text(title) or usable_text(name) or "Kit", DEFAULT_SEED, pads)


def chosen_program(path: Path, choices: ImportChoices) -> Path:
    """Return the file that a source is read from: itself, or the kit's file in a folder."""
    return (program_in(path, choices.preset, path) if path.is_dir() else None) or path


def without_folder(path: Path, choices: ImportChoices) -> tuple[Path, ImportChoices]:
    """Return the archive in a folder of kits that is chosen, to be read in the folder's stead; others as they are."""
    program = chosen_program(path, choices)
    return (program, replace(choices, preset=None)) if path.is_dir() and is_archive(program) else (path, choices)


def needs_room(path: Path, choices: ImportChoices) -> bool:
    """Return whether a source cannot be played where it lies: an archive, or microphones to be mixed."""
    program = chosen_program(path, choices)
    if is_archive(program):
        return True
    return program.is_file() and kind_of(program) == "drumkit" and needs_mixing(_read(program, _root(path), choices))


def read_source(path: Path, work: Path, choices: ImportChoices) -> Imported:
    """Read a kit of another sampler, a folder of sounds or one; what must be unpacked or mixed goes into `work`.

    `KitError` for a source that is not there, holds no kit or several, or lacks samples.
    """
    if not path.exists():
        raise KitError(f"{path}: there is no such file or folder; check the path")
    path, choices = without_folder(path, choices)
    name, source = kit_name(path, choices), path
    if path.suffix.lower() in HIT_SUFFIXES and path.is_file():
        return _from_sounds(path, name, source)
    if is_archive(path):
        unpack(path, work / UNPACKED)
        path = work / UNPACKED
    program = program_in(path, choices.preset, source) if path.is_dir() else path
    if program is None:
        return _from_sounds(path, name, source)
    found = _read(program, _root(path), choices)
    if found.missing and not (choices.partial and found.regions):
        names = list(dict.fromkeys(found.missing))
        raise KitError(
            f"{program}: {len(names)} of its samples are not there: {', '.join(map(shortened, names[:_MOST_NAMED]))}"
            f"{' and others' if len(names) > _MOST_NAMED else ''}; put them back, or add --partial to do without them"
        )
    if found.missing:
        found.left_out["regions whose sample is missing"] += len(found.missing)
    if not found.regions:
        raise KitError(
            f"{program}: holds no stroke that a note plays"
            + "".join(f"; {line}" for line in found.report())
            + "; give its strokes notes in its sampler, or import the folder of its sound files alone"
        )
    mixed_down(found, work / "mixed")
    kit = _kit(found.name, name, pads_of(found))
    return Imported(kit, _root(path), tuple(found.report()))


def _root(path: Path) -> Path:
    return path if path.is_dir() else path.parent


def _read(program: Path, root: Path, choices: ImportChoices) -> Found:
    kind = kind_of(program)
    if kind == "drumkit":
        return read_drumgizmo(program, root, choices.channels)
    if choices.channels:
        raise KitError(f"{program}: is not a DrumGizmo kit, and has no channels to choose; leave --channels out")
    readers = {"sfz": read_sfz, "dspreset": read_decent, "drumkit_info": read_hydrogen}
    if kind not in readers:
        raise KitError(
            f"{program}: is not a kit of SFZ, Hydrogen, DrumGizmo or DecentSampler; "
            "name one, or a folder of sound files"
        )
    return readers[kind](program, root)


def _from_sounds(path: Path, name: str, source: Path) -> Imported:
    """Return a kit of a folder's sound files, or of one, by their names and sounds; errors name the `source`."""
    folder = _root(path)
    made = pads_from_files([(file, folder) for file in hits_at(path)])
    if not made.pads and path.is_file():
        raise KitError(made.skipped[0])
    if not made.pads:
        advice = f"name a folder with a kit, or with one file for each stroke: {', '.join(HIT_SUFFIXES)}"
        reasons = "".join(f"; {reason}" for reason in (*made.skipped[:3], *unread_sounds([path])))
        raise KitError(
            f"{source}: holds no kit and no sound file that can be a hit{reasons}{without_stems(folder)}; {advice}"
        )
    report = (*(f"left out {reason}" for reason in made.skipped), *made.guessed, *unread_sounds([path]))
    return Imported(_kit(name, name, made.pads), folder, report)
