"""Names and texts of others, made safe to print and to save."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

UNPRINTABLE: Final = re.compile("[\0-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, line ends, marks that turn the direction of text, and what stands for bytes that are no text."""
_LONGEST: Final = 4_000
"""Characters of one line: a name may be a megabyte long."""
_MOST_SHOWN: Final = 200
"""Characters of one value in a message."""


def printable(text: str) -> str:
    """Return a text on one line, with escapes for characters that steer a terminal or cannot be printed."""
    shown = UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
    return shortened(shown, _LONGEST)


def shortened(text: str, most: int = _MOST_SHOWN) -> str:
    """Return a text of which at most so many characters are left, by default as many as a message quotes."""
    return text if len(text) <= most else f"{text[:most]}…"


def shown(value: object) -> str:
    """Return a value of someone's file as messages quote it: text in quotes, and the beginning of what is long."""
    if isinstance(value, str):
        # The end is cut before it is written out: a text may be a megabyte long.
        return repr(shortened(value))
    try:
        return shortened(repr(value))
    except ValueError:
        # Python writes no number out that has thousands of digits.
        return "a number of thousands of digits"


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Return a count with its noun, as in '1 hit' and '2 hits'; an irregular plural is given."""
    return f"{count} {noun if count == 1 else plural or f'{noun}s'}"


def nearest(given: object, known: Iterable[str]) -> str:
    """Return what to say of a name that is not known: the one that is spelled most like it, or all that there are."""
    names = list(known)
    close = get_close_matches(shortened(given) if isinstance(given, str) else shown(given), names, 1)
    return f"did you mean {close[0]}?" if close else f"choose one of {', '.join(names)}"
