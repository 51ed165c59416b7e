"""The operators of extra specs: ``<in> avx``, ``s== kvm``, ``>= 5``, ``<or> a <or> b`` or plain text."""

from __future__ import annotations

import operator
from collections.abc import Callable

_NUMBERS: dict[str, Callable[[float, float], bool]] = {
    # A single equals sign asks for at least so much, as for vcpus and memory; two ask for exactly so much.
    "=": operator.ge,
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
    "==": operator.eq,
    "!=": operator.ne,
}
_TEXTS: dict[str, Callable[[str, str], bool]] = {
    "s==": operator.eq,
    "s!=": operator.ne,
    "s<": operator.lt,
    "s<=": operator.le,
    "s>": operator.gt,
    "s>=": operator.ge,
}


def matches(value: object, wanted: str) -> bool:
    """Tell whether a host's value satisfies an extra spec; what cannot be compared does not match."""
    head, *rest = wanted.split() or [""]
    text = _text(value)
    if head == "<or>":
        return text in [word for word in rest if word != "<or>"]
    if head == "<in>":
        return bool(rest) and _contains(value, rest[0])
    if head == "<all-in>":
        return bool(rest) and all(_contains(value, word) for word in rest)
    if head in _TEXTS:
        return bool(rest) and _TEXTS[head](text, " ".join(rest))
    if head in _NUMBERS:
        try:
            return _NUMBERS[head](float(text), float(rest[0]))
        except (ValueError, IndexError):
            return False
    return text == wanted


def _contains(value: object, word: str) -> bool:
    """A list contains whole words, a text any part of it."""
    if isinstance(value, list | tuple | set | frozenset | dict):
        return any(_text(v) == word for v in value)
    return word in _text(value)


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
