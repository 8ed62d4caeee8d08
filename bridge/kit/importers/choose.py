"""Which file in a folder is a kit of another sampler, and which of several was chosen."""

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from ghostnote.bridge.errors import KitError
from ghostnote.bridge.io.printable import printable, shown
from ghostnote.bridge.kit.importers.archive import PACKED

PROGRAMS: Final = (".sfz", ".dspreset", ".xml")
"""The endings of other samplers' kits."""
_HEAD_BYTES: Final = 4_096
_MOST_NAMED: Final = 6


def kind_of(program: Path) -> str:
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


def program_in(folder: Path, preset: str | None, source: Path) -> Path | None:
    """Return the kit's file in a folder: the one that was chosen, or the only one that lies highest.

    Errors name the `source`, the folder itself or the archive that was unpacked into it.
    """
    files = [
        path for path in sorted(folder.rglob("*")) if path.suffix.lower() in (*PROGRAMS, *PACKED) and path.is_file()
    ]
    kits = [path for path in files if not path.name.startswith((".", "__")) and kind_of(path)]
    if preset is not None:
        named = _named(kits, folder, preset)
        if len(named) > 1:
            raise KitError(
                f"{source}: has {len(named)} kits {shown(preset)}: {_listed(named, folder)}; "
                f"name one by its path: {_how(named, folder, source)}"
            )
        if not named:
            offer = f"it has {_listed(kits, folder)}" if kits else "it has none; leave --preset out"
            raise KitError(f"{source}: has no kit {shown(preset)}; {offer}")
        return named[0]
    depth = min((len(path.parts) for path in kits), default=0)
    highest = [path for path in kits if len(path.parts) == depth]
    if len(highest) > 1:
        raise KitError(
            f"{source}: holds {len(highest)} kits: {_listed(highest, folder)}; "
            f"choose one: {_how(highest, folder, source)}"
        )
    return highest[0] if highest else None


def _named(kits: Sequence[Path], folder: Path, name: str) -> list[Path]:
    """Return the kits of a name: the one of that path in the folder, or else those whose path or folder ends so."""
    wanted = PurePosixPath(name.replace("\\", "/").casefold()).parts

    def ways(path: Path) -> tuple[tuple[str, ...], ...]:
        inside = PurePosixPath(path.relative_to(folder).as_posix().casefold())
        return inside.parts, inside.with_suffix("").parts, inside.parent.parts

    def ends(parts: tuple[str, ...]) -> bool:
        return bool(wanted) and parts[-len(wanted) :] == wanted

    # A whole path counts before the end of one, and a file's name before its folder's.
    rules: tuple[Callable[[Path], bool], ...] = (
        lambda path: bool(wanted) and wanted in ways(path)[:2],
        lambda path: any(map(ends, ways(path)[:2])),
        lambda path: ends(ways(path)[2]),
    )
    return next((found for rule in rules if (found := [path for path in kits if rule(path)])), [])


def _listed(kits: Sequence[Path], folder: Path) -> str:
    names = [printable(path.relative_to(folder).as_posix()) for path in kits[:_MOST_NAMED]]
    return ", ".join(names) + " and others" * (len(kits) > _MOST_NAMED)


def _how(kits: Sequence[Path], folder: Path, source: Path) -> str:
    """Return how one of several kits is chosen, with the first as the example."""
    inside = kits[0].relative_to(folder)
    if len(inside.parts) > 1 and [path.parent for path in kits].count(kits[0].parent) == 1:
        inside = inside.parent
    command = f"ghostnote kit import {shlex.quote(str(source))} --preset {shlex.quote(inside.as_posix())}"
    play = f", or play it: --kit {shlex.quote(str(source / inside))}" if source == folder else ""
    return printable(command + play)
