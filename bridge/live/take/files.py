"""The files that a take needs: its hits, and what its effects load."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ghostnote.bridge.dsp.effects import PLUGIN, Effect, installed_plugins
from ghostnote.bridge.errors import MidiFileError
from ghostnote.bridge.io.cache_folder import cache_folder
from ghostnote.bridge.io.input_file import real_path
from ghostnote.bridge.kit.effects import check_effects, find_plugin
from ghostnote.bridge.kit.fields import FieldError, MissingFileError
from ghostnote.bridge.kit.kit import load_kit


@dataclass(frozen=True)
class TakeFiles:
    """Finds the files of a take: they must lie in its folder, in that of the kit it was played with, or below."""

    path: Path
    kit: Path | None

    def hit(self, name: str) -> Path:
        """Return a hit, which must be there."""
        hit = self._place(name)
        if not hit.is_file():
            raise MidiFileError(f"{self.path}: the hit {hit} is not there any more, or is not a file; put it back")
        return hit

    def effects(self, value: object) -> tuple[Effect, ...]:
        """Return the effects of a list; `MidiFileError` for a file that is missing, unless it is bypassed."""
        try:
            return check_effects(value, self.impulse, self.plugin)
        except FieldError as error:
            if isinstance(error.__cause__, MissingFileError):
                raise MidiFileError(f"{self.path}: {error}") from error
            raise

    def impulse(self, name: str) -> Path:
        """Return an impulse response, which lies where hits may lie."""
        hit = self._place(name)
        if not hit.exists():
            raise MissingFileError(f"the impulse response {hit} is not there any more; put it back", hit)
        return self.hit(name)

    def plugin(self, name: str) -> Path:
        """Return a plugin that is installed, or that the kit names: a MIDI file from elsewhere starts no other."""
        path = find_plugin(name)
        if path not in self._plugins:
            raise MidiFileError(
                f"{self.path}: the plugin {path} is not installed where plugins are; if it is yours, "
                "name the kit that it was played with: --kit KIT.toml"
            )
        return path

    @cached_property
    def _plugins(self) -> frozenset[Path]:
        effects = load_kit(self.kit).all_effects.values() if self.kit and self.kit.suffix == ".toml" else ()
        named = (effect.file for row in effects for effect in row if effect.kind == PLUGIN and effect.file)
        return frozenset((*installed_plugins(), *named))

    def _place(self, name: str) -> Path:
        """Return where a hit lies: takes name their kits' hits in full, or from the folder that they lie in."""
        files = [file for file in (self.path, self.kit) if file]
        folders = [real_path(file) if file.is_dir() else real_path(file.parent) for file in files]
        # Imported kits that play where they lie may be unpacked there.
        unpacked = cache_folder()
        folders += [unpacked / "kits"] if unpacked else []
        hit = real_path(folders[0] / name)
        if not any(hit.is_relative_to(folder) for folder in folders):
            raise MidiFileError(
                f"{self.path}: the hit {hit} lies outside {' and '.join(map(str, folders[: len(files)]))}; if it is "
                "yours, name the kit that it was played with: --kit KIT.toml"
            )
        return hit
