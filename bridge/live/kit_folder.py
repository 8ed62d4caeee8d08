"""The folder of kits that OSC and program changes reach; nothing outside it is read or written."""

from pathlib import Path
from typing import Final

from ghostnote.bridge.errors import KitError
from ghostnote.bridge.kit.kit import BUILT_IN, Kit, load_kit

MOST_KITS: Final = 128


class KitFolder:
    """Finds kit files by name or number in a folder, or in none."""

    def __init__(self, folder: Path | None) -> None:
        """Reach the kits of `folder` and below."""
        self._folder = folder

    def names(self) -> list[str]:
        """Return the kit files, by name; `KitError`."""
        if self._folder is None:
            return []
        try:
            found = sorted(path.relative_to(self._folder).as_posix() for path in self._folder.rglob("*.toml"))
        except OSError as error:  # as too few file handles
            raise KitError(f"the kits' folder {self._folder} cannot be read: {error.strerror}") from error
        return found[:MOST_KITS]

    def numbered(self, number: int) -> str:
        """Return the name of the kit of this number, counted from 0; `KitError`."""
        if self._folder is None:
            raise KitError(f"program {number} chooses no kit: start with --kits FOLDER")
        names = self.names()
        if number >= len(names):
            raise KitError(f"program {number} chooses no kit: {len(names)} are in the kits' folder {self._folder}")
        return names[number]

    def load(self, name: str) -> Kit:
        """Return a kit of the folder, or one that comes along; `KitError`."""
        if name in BUILT_IN and (self._folder is None or not self.path(name).exists()):
            return load_kit(name)
        return load_kit(self.path(name))

    def path(self, name: str) -> Path:
        """Return the path of a kit file, which must not lead out of the folder; `KitError`."""
        if self._folder is None:
            raise KitError(f"kit '{name}' cannot be reached: start with --kits FOLDER")
        folder = self._folder.resolve()
        if not name or "\0" in name or "\\" in name:
            raise KitError(f"{name!r} is not the name of a kit file")
        path = (folder / (name if name.endswith(".toml") else f"{name}.toml")).resolve()
        if not path.is_relative_to(folder):
            raise KitError(f"kit '{name}' lies outside the kits' folder {folder}: copy it in")
        return path
