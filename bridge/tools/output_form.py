"""The form in which results of the sound tools are written."""

from dataclasses import dataclass
from pathlib import Path

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.audio_file import FORMATS, format_for, names_sound_file
from ghostnote.bridge.io.hit_files import HIT_SUFFIXES
from ghostnote.bridge.io.output_guard import check_place
from ghostnote.bridge.kinds import find_class


@dataclass(frozen=True)
class OutputForm:
    """Where results go and in which form; what is None is as in the source."""

    tool: str
    """The command's name: what goes behind the name of a source where no output is given."""
    path: Path | None = None
    """A file or a folder; None is a file or folder beside no other in the working folder."""
    format: str | None = None
    """wav, flac, aiff or ogg."""
    bits: int | None = None
    """16, 24 or 32 bits a sample."""
    rate: int | None = None
    """In Hz."""
    drum_class: str | None = None
    """The class of all sources; None goes by each file's name, then by its sound."""

    @property
    def is_file(self) -> bool:
        """Whether the output means a file."""
        return self.path is not None and names_sound_file(self.path)

    def check(self) -> None:
        """Raise `InputError` for a form that cannot be written."""
        if self.format is not None and f".{self.format}" not in FORMATS:
            offer = ", ".join(suffix[1:] for suffix in FORMATS)
            raise InputError(f"format {self.format!r} cannot be written; choose one of {offer}")
        if self.format is not None:
            format_for(Path(f"--format.{self.format}"), self.bits)
        elif not self.is_file and self.bits is not None and not any(self.bits in f.bits for f in FORMATS.values()):
            offer = ", ".join(map(str, sorted({bits for f in FORMATS.values() for bits in f.bits})))
            raise InputError(f"--bits {self.bits}: no format has that; choose one of {offer}")
        if self.path is not None:
            self._check_path(self.path)
        if self.drum_class is not None:
            find_class(self.drum_class)

    def _check_path(self, path: Path) -> None:
        if path.suffix.lower() in set(HIT_SUFFIXES) - set(FORMATS) and not path.is_dir():
            raise InputError(f"{path}: {path.suffix} cannot be written; choose one of {', '.join(FORMATS)}")
        if self.is_file:
            format_for(path, self.bits)
            if self.format is not None and path.suffix.lower() != f".{self.format}":
                raise InputError(f"{path}: its name does not end in .{self.format}; leave --format out")
        else:
            check_place(path)
