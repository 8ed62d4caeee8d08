"""The folder of kits that OSC and program changes reach; nothing outside it is read or written."""

from pathlib import Path
from typing import Any, Final

from ghostnote.bridge.errors import KitError
from ghostnote.bridge.io.audio_file import read_audio
from ghostnote.bridge.io.input_file import real_path
from ghostnote.bridge.kit.fields import check_hit
from ghostnote.bridge.kit.hits import check_hits
from ghostnote.bridge.kit.kit import BUILT_IN, Kit, load_kit

MOST_KITS: Final = 128


class KitFolder:
    """Finds kit files by name or number in a folder, or in none."""

    def __init__(self, folder: Path | None) -> None:
        """Reach the kits of `folder` and below."""
        self.folder = folder
        """Nothing outside it is read or written."""

    def names(self) -> list[str]:
        """Return the kit files, by name; `KitError`."""
        if self.folder is None:
            return []
        try:
            found = sorted(path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*.toml"))
        except OSError as error:  # as too few file handles
            raise KitError(f"the kits' folder {self.folder} cannot be read: {error.strerror}") from error
        return found[:MOST_KITS]

    def numbered(self, number: int) -> str:
        """Return the name of the kit of this number, counted from 0; `KitError`."""
        if self.folder is None:
            raise KitError(f"program {number} chooses no kit: start with --kits FOLDER")
        names = self.names()
        if number >= len(names):
            raise KitError(f"program {number} chooses no kit: {len(names)} are in the kits' folder {self.folder}")
        return names[number]

    def hits(self, name: str) -> dict[str, Any]:
        """Return what of a pad changes when its strokes start from a sound file, or a folder of them; '' for none.

        `FieldError` for what is not there, lies outside the folder or cannot be used, `KitError` without a folder.
        """
        if not name:
            return {"hit": None, "hits": (), "velocity": 127}
        if self.folder is None:
            raise KitError(f"'{name}' cannot be reached: start with --kits FOLDER")
        path = check_hit(name, self.folder, key="hits", may_be_folder=True)
        if path.is_dir():
            return {"hit": None, "hits": check_hits(name, self.folder), "velocity": 127}
        read_audio(path)
        return {"hit": path, "hits": (), "velocity": 127}

    def load(self, name: str) -> Kit:
        """Return a kit of the folder, or one that comes along; `KitError`."""
        if name in BUILT_IN and (self.folder is None or not self.path(name).exists()):
            return load_kit(name)
        return load_kit(self.path(name))

    def path_to_save(self, name: str, own: Path | None, *, replaces: bool = False) -> Path:
        """Return the path that a kit read from the file `own` is saved under; `KitError`.

        Another file that is there already is refused, unless the caller `replaces` it.
        """
        path = self.path(name)
        if path.exists() and not replaces and (own is None or real_path(own) != path):
            raise KitError(
                f"kit '{path.name}' is there already, and is not the kit that plays: name another, or replace it"
            )
        return path

    def path(self, name: str) -> Path:
        """Return the path of a kit file, which must not lead out of the folder; `KitError`."""
        if self.folder is None:
            raise KitError(f"kit '{name}' cannot be reached: start with --kits FOLDER")
        folder = real_path(self.folder)
        if not name or "\0" in name or "\\" in name:
            raise KitError(f"{name!r} is not the name of a kit file")
        path = real_path(folder / (name if name.endswith(".toml") else f"{name}.toml"))
        if not path.is_relative_to(folder):
            raise KitError(f"kit '{name}' lies outside the kits' folder {folder}: copy it in")
        return path
