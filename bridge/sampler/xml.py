"""XML as text, indented and in a fixed order."""

from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

__all__ = ["Element", "SubElement", "child", "xml_text"]


def child(parent: Element, tag: str, text: object = "", **attributes: object) -> Element:
    """Add an element with text and attributes, and return it."""
    element = SubElement(parent, tag, {key: str(value) for key, value in attributes.items()})
    element.text = str(text) or None
    return element


def xml_text(root: Element) -> str:
    """Return a whole document."""
    ElementTree.indent(root)
    body: str = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'
