"""Writing XML elements in one expression each."""

from __future__ import annotations

import xml.etree.ElementTree as ET

NOVA_NAMESPACE = "http://openstack.org/xmlns/libvirt/nova/1.0"

Element = ET.Element


def element(
    tag: str, *children: Element | None, text: str | int | None = None, **attributes: str | int
) -> Element:
    """Return an element; children that are None are left out, a trailing ``_`` in a name is dropped."""
    made = ET.Element(tag, {name.rstrip("_"): str(value) for name, value in attributes.items()})
    made.extend(child for child in children if child is not None)
    if text is not None:
        made.text = clean(str(text))
    return made


def to_text(root: Element) -> str:
    """Return the document, indented by two."""
    ET.register_namespace("nova", NOVA_NAMESPACE)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode") + "\n"


def parse(text: str) -> Element:
    """Read what libvirt wrote; raises ``ValueError`` for anything that defines entities."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("libvirt's XML has no document type")
    return ET.fromstring(text)


def clean(text: str) -> str:
    """Drop the characters that XML 1.0 cannot hold; users may put any into a name."""
    return "".join(c for c in text if _allowed(ord(c)))


def _allowed(code: int) -> bool:
    return code in (0x9, 0xA, 0xD) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000
