"""The text of SFZ files: headers and opcodes however they are written, and lines of any length in time."""

import time
from pathlib import Path

import pytest

from ghostnote.bridge.errors import KitError
from ghostnote.bridge.kit.importers.sfz_text import SfzReader

MANY = 200_000
SECONDS = 20.0
"""A line whose time grows by the square of its length takes minutes."""


def tokens(folder: Path, text: str) -> list[tuple[str, str | None]]:
    (folder / "kit.sfz").write_text(text, "utf-8")
    return [*SfzReader(folder).tokens(folder / "kit.sfz")]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("<region> sample=a b.wav key=36", [("<region>", None), ("sample", "a b.wav"), ("key", "36")]),
        ("<region>key=36<region>key=38", [("<region>", None), ("key", "36"), ("<region>", None), ("key", "38")]),
        ("key= sample=a", [("key", ""), ("sample", "a")]),
        ("a=b=c d=e", [("a", "b=c"), ("d", "e")]),
        ("a=b c 1d=e", [("a", "b c 1d=e")]),
        ("1a=2", [("a", "2")]),
        ("sample=a<b c=1", [("c", "1")]),
        ("sample=a<b>c d=1", [("sample", "a"), ("<b>", None), ("d", "1")]),
        ("sample=Größe 日本.wav \t key=1 ", [("sample", "Größe 日本.wav"), ("key", "1")]),
        ("hello < world", []),
    ],
)
def test_headers_and_opcodes_are_found(tmp_path: Path, line: str, expected: list[tuple[str, str | None]]) -> None:
    assert tokens(tmp_path, line) == expected


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (f"<region> key=36 sample=a{' ' * MANY}s.wav", 3),
        (f"<region> key=36 sample=a{' ' * MANY}", 3),
        ((f"sample=a{' ' * 3_000}s.wav\n") * 60, 60),
        ("x" * MANY, 0),
        ("a=" * MANY + "<", 0),
        ("a=b " * MANY, MANY),
        ("<" * MANY, 0),
    ],
)
def test_lines_of_any_length_are_read_in_time(tmp_path: Path, text: str, count: int) -> None:
    start = time.monotonic()
    assert len(tokens(tmp_path, text)) == count
    assert time.monotonic() - start < SECONDS


def test_a_variable_of_any_length_is_refused_in_time(tmp_path: Path) -> None:
    start = time.monotonic()
    with pytest.raises(KitError, match="grows to more than"):
        tokens(tmp_path, f"#define $a 1\n$a{'x' * MANY}")
    assert time.monotonic() - start < SECONDS
