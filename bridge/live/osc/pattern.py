"""OSC address patterns: which of the known addresses a message means."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from ghostnote.bridge.live.osc.codec import OscError

_SPECIAL: Final = frozenset("?*[]{},!")
_MAX_STARS: Final = 3
"""Stars in one part: more would let a short message cost a long search."""
_MAX_LENGTH: Final = 200


def matches(pattern: str, addresses: Iterable[str]) -> list[str]:
    """Return the addresses that a pattern means, in their order; `OscError` for anything that is not a pattern.

    As OSC 1.0 says: `?` is any character, `*` any number of them, `[a-z]` and `[!x]` one of or none of a
    set, `{this,that}` one of several words; none of them reaches over a `/`.
    """
    if len(pattern) > _MAX_LENGTH:
        raise OscError(f"an address of {len(pattern)} characters is too long")
    if not _SPECIAL & set(pattern):
        return [address for address in addresses if address == pattern]
    expression = _compiled(pattern)
    return [address for address in addresses if expression.fullmatch(address)]


@lru_cache(128)
def _compiled(pattern: str) -> re.Pattern[str]:
    for part in pattern.split("/"):
        if re.sub(r"\*+", "*", part).count("*") > _MAX_STARS:
            raise OscError(f"{part!r} has more than {_MAX_STARS} stars")
    try:
        return re.compile("".join(_piece(m) for m in re.finditer(r"\*+|\[[^\]]*\]|\{[^}]*\}|.", pattern, re.S)))
    except re.error as error:
        raise OscError(f"{pattern!r} is not an address pattern: {error}") from error


def _piece(match: re.Match[str]) -> str:
    """Return one piece of a pattern as a regular expression."""
    text = match[0]
    if text.startswith("*"):
        return "[^/]*"
    if text == "?":
        return "[^/]"
    if len(text) > 1 and text.startswith("["):
        inner = text[1:-1]
        negated = "^/" if inner.startswith("!") else ""
        inner = re.sub(r"[\\\[\]^&~|]", r"\\\g<0>", inner.removeprefix("!"))
        return f"[{negated}{inner}]"
    if len(text) > 1 and text.startswith("{"):
        return f"(?:{'|'.join(re.escape(word) for word in text[1:-1].split(','))})"
    return re.escape(text)
