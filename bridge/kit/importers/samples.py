"""The sample files that a kit names: inside its folder, whatever the case and the slashes."""

from functools import lru_cache
from pathlib import Path, PurePosixPath, PureWindowsPath

from ghostnote.bridge.errors import KitError
from ghostnote.bridge.io.input_file import real_path
from ghostnote.bridge.io.printable import shown


def find_sample(root: Path, folder: Path, name: str, origin: Path) -> Path | None:
    """Return the file that a kit's file in `folder` means; None where it is not there.

    `KitError` for a name that leads out of `root`.
    """
    relative = PurePosixPath(name.strip().replace("\\", "/"))
    if relative.is_absolute() or PureWindowsPath(name.strip()).drive or "\0" in name:
        raise KitError(f"{origin}: names the file {shown(name)}, not from the kit's folder on; mend the path")
    try:
        found = _step(folder, relative)
        real = real_path(found or folder / relative)
    except OSError:
        # As for a name that is too long.
        return None
    if not real.is_relative_to(real_path(root)):
        raise KitError(
            f"{origin}: names the file {shown(name)}, which lies outside {root}; "
            "give the folder that holds the whole kit"
        )
    return found if found and found.is_file() else None


def _step(folder: Path, relative: PurePosixPath) -> Path | None:
    if (folder / relative).is_file():
        return folder / relative
    # Kits from systems that do not mind capitals.
    for part in relative.parts:
        if part == "..":
            folder = folder.parent
            continue
        found = _names(folder, _written(folder)).get(part.casefold())
        if found is None:
            return None
        folder = folder / found
    return folder


def _written(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=64)
def _names(folder: Path, written: int) -> dict[str, str]:
    """Return the names in a folder by their lower case, as they were when it was last written."""
    try:
        return {path.name.casefold(): path.name for path in sorted(folder.iterdir(), reverse=True)}
    except OSError:
        return {}
