"""The text of SFZ files: includes and defines resolved, headers and opcodes in order (sfzformat.com)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ghostnote.bridge.errors import KitError
from ghostnote.bridge.io.input_file import read_head, real_path
from ghostnote.bridge.io.printable import shown
from ghostnote.bridge.kit.importers.samples import find_sample

_MOST_BYTES: Final = 32 * 2**20
_MOST_FILES: Final = 2_000
_MOST_DEPTH: Final = 32
_MOST_VALUE: Final = 4_096
"""Characters of a define's value, and of a line: defines of defines could grow without end."""
_COMMENTS: Final = re.compile(r"/\*.*?(?:\*/|\Z)|//[^\n]*", re.DOTALL)
_DIRECTIVE: Final = re.compile(r"#(include|define)[ \t]+(?:\"([^\"\n]*)\"|(\$\w+)[ \t]+(\S+)|(\S+))")
_VARIABLE: Final = re.compile(r"\$\w+")
# Each of these looks at a letter once or twice, so that lines of any length are read in time.
_TOKEN: Final = re.compile(r"<(\w+)>|(?<!\w)[^\WA-Za-z_]*([A-Za-z_]\w*)=")
_VALUE_END: Final = re.compile(r"<(?:\w+>)?|(?<=\s)[A-Za-z_]\w*=|$")

Opcodes = dict[str, str]


@dataclass
class SfzReader:
    """Reads one SFZ file with all that it includes."""

    root: Path
    """No file outside this folder is read."""
    defines: dict[str, str] = field(default_factory=dict)
    _longest: int = 0
    """Letters of the longest define's name."""
    _files: int = 0
    _bytes: int = 0
    _open: list[Path] = field(default_factory=list)

    def tokens(self, path: Path) -> Iterator[tuple[str, str | None]]:
        """Yield ('<header>', None) and (opcode, value) in their order; `KitError`."""
        for line in self._lines(path):
            yield from _tokens(line)

    def _lines(self, path: Path) -> Iterator[str]:
        text = self._text(path)
        self._open.append(real_path(path))
        for line in text.splitlines():
            at = 0
            for found in _DIRECTIVE.finditer(line):
                yield self._expanded(line[at : found.start()], path)
                at = found.end()
                kind, quoted, variable, value, bare = found.groups()
                if kind == "define" and variable:
                    self.defines[variable] = self._expanded(value, path)
                    self._longest = max(self._longest, len(variable))
                elif kind == "include":
                    yield from self._included(self._expanded(quoted or bare or "", path), path)
            yield self._expanded(line[at:], path)
        self._open.pop()

    def _included(self, name: str, origin: Path) -> Iterator[str]:
        # Includes count from the file that is opened first, or else from the one that names them.
        folders = dict.fromkeys((self._open[0].parent, origin.parent))
        found = next((path for folder in folders if (path := find_sample(self.root, folder, name, origin))), None)
        if found is None:
            raise KitError(f"{origin}: includes {shown(name)}, which is not there; put the file back")
        if real_path(found) in self._open:
            raise KitError(f"{origin}: includes {shown(name)}, which includes it again without end; cut the circle")
        if len(self._open) > _MOST_DEPTH:
            raise KitError(f"{origin}: includes lie deeper than {_MOST_DEPTH} files; put them into one")
        yield from self._lines(found)

    def _text(self, path: Path) -> str:
        data = read_head(path, "an SFZ file", KitError, _MOST_BYTES + 1)
        self._files, self._bytes = self._files + 1, self._bytes + len(data)
        if self._files > _MOST_FILES or self._bytes > _MOST_BYTES:
            raise KitError(
                f"{path}: with its includes the kit has more than {_MOST_FILES:,} files or {_MOST_BYTES // 2**20} MB "
                "of text, which no kit has"
            )
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp1252", errors="replace")
        return _COMMENTS.sub(lambda found: "\n" * found[0].count("\n"), text)

    def _expanded(self, text: str, path: Path) -> str:
        """Return a text with its variables replaced, the longest name first: $KEY2 may mean $KEY and a 2."""
        if "$" not in text:
            return text
        expanded = _VARIABLE.sub(self._value, text)
        if len(expanded) > _MOST_VALUE:
            raise KitError(f"{path}: a define grows to more than {_MOST_VALUE:,} letters; write it out")
        return expanded

    def _value(self, found: re.Match[str]) -> str:
        name = found[0]
        for end in range(min(len(name), self._longest), 1, -1):
            if name[:end] in self.defines:
                return self.defines[name[:end]] + name[end:]
        return name


def _tokens(line: str) -> Iterator[tuple[str, str | None]]:
    """Yield a line's headers and opcodes; a value ends before the next of them, and has no other `<` in it."""
    at = 0
    while found := _TOKEN.search(line, at):
        at = found.end()
        if found[1]:
            yield f"<{found[1]}>", None
            continue
        end = _VALUE_END.search(line, at)
        stop = end.start() if end else len(line)
        if end and end[0] == "<":
            at = stop + 1
            continue
        yield found[2], line[at:stop].strip()
        at = stop


def regions(reader: SfzReader, path: Path) -> Iterator[tuple[Opcodes, Opcodes]]:
    """Yield each region's opcodes with those that it inherits, and those of the control header at that place."""
    levels = ("global", "master", "group", "region")
    inherited: dict[str, Opcodes] = {level: {} for level in levels}
    control: Opcodes = {}
    header, is_open = "", False
    for name, value in reader.tokens(path):
        if value is not None:
            if header == "control":
                control[name] = value
            elif header in levels:
                inherited[header] |= _as_written(inherited[header], name, value)
            continue
        if is_open:
            yield _merged(inherited), dict(control)
        header = name.strip("<>").lower()
        is_open = header == "region"
        if header in levels:
            for level in levels[levels.index(header) :]:
                inherited[level] = {}
    if is_open:
        yield _merged(inherited), dict(control)


def _as_written(level: Opcodes, name: str, value: str) -> Opcodes:
    """Return what an opcode sets: a key is the lowest, the highest and the one of the sample's own pitch."""
    if name != "key":
        return {name: value}
    return {"lokey": value, "hikey": value, "pitch_keycenter": level.get("pitch_keycenter", value)}


def _merged(levels: dict[str, Opcodes]) -> Opcodes:
    return {name: value for opcodes in levels.values() for name, value in opcodes.items()}
