"""XML of other programs' kits: read safely, without namespaces."""

from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element, ParseError

from ghostnote.bridge.errors import KitError
from ghostnote.bridge.io.input_file import read_head
from ghostnote.bridge.io.printable import shortened, shown

_MOST_BYTES: Final = 32 * 2**20


def read_xml(path: Path, roots: tuple[str, ...]) -> Element:
    """Return the root of an XML file, which must be one of `roots`; `KitError`."""
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    data = read_head(path, "a kit's file", KitError, _MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise KitError(f"{path}: is larger than {_MOST_BYTES // 2**20} MB, which no kit's file is")
    try:
        root: Element = fromstring(data)
    except ParseError as error:
        raise KitError(f"{path}: is not whole XML ({error}); export or download it again") from error
    except (DefusedXmlException, ValueError, LookupError, RecursionError) as error:
        raise KitError(f"{path}: is XML that no kit needs ({type(error).__name__}); do not trust it") from error
    for element in root.iter():
        if isinstance(element.tag, str):
            element.tag = element.tag.rpartition("}")[2]
    if root.tag not in roots:
        raise KitError(
            f"{path}: begins with <{shortened(root.tag)}>, but a kit's file begins with <{'> or <'.join(roots)}>"
        )
    return root


def number(text: str | None, default: float, what: str, path: Path) -> float:
    """Return a finite number; `KitError` for other text, the default for none."""
    if text is None or not text.strip():
        return default
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        value = float("nan")
    if not abs(value) < 1e9:
        raise KitError(f"{path}: {what} is {shown(text.strip())}, but it must be a number; mend it")
    return value


def text_of(parent: Element, tag: str) -> str | None:
    """Return the text of a child element, or None."""
    found = parent.find(tag)
    return None if found is None or found.text is None else found.text.strip()
