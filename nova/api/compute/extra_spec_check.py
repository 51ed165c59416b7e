"""Whether extra specs have names and values that mean something (asked from 2.86 on)."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

from nova.api.compute.extra_spec_table import NAMESPACES, SPECS, Spec
from nova.errors.compute_api import ExtraSpecInvalid

_BOOLEANS = frozenset({"1", "t", "true", "on", "y", "yes", "0", "f", "false", "off", "n", "no"})


def check(specs: Mapping[str, str]) -> None:
    """Raise 400 for the first extra spec of a known namespace that is wrong; all others pass."""
    for key, value in specs.items():
        spec = _spec_of(key)
        if spec is not None:
            trouble = _trouble(spec, value)
            if trouble:
                raise ExtraSpecInvalid(reason=f"value '{value}' of extra spec '{key}' {trouble}")
        elif NAMESPACES.fullmatch(key):
            raise ExtraSpecInvalid(reason=f"extra spec '{key}' does not appear in the table of extra specs")


def _spec_of(key: str) -> Spec | None:
    for pattern, spec in _patterns():
        if pattern.fullmatch(key):
            return spec
    return None


@functools.cache
def _patterns() -> tuple[tuple[re.Pattern[str], Spec], ...]:
    return tuple((re.compile(spec.name), spec) for spec in SPECS)


def _trouble(spec: Spec, value: str) -> str:
    """Return what is wrong with a value, or nothing."""
    if spec.kind is bool:
        return "" if value.strip().lower() in _BOOLEANS else "is not a boolean"
    if spec.kind is int:
        return _range_trouble(spec, value)
    if spec.words and value not in spec.words:
        return f"is not one of {', '.join(spec.words)}"
    if spec.pattern and not re.fullmatch(spec.pattern, value):
        return f"does not match '{spec.pattern}'"
    return ""


def _range_trouble(spec: Spec, value: str) -> str:
    try:
        number = int(value)
    except ValueError:
        return "is not an integer"
    if spec.least is not None and number < spec.least:
        return f"is less than {spec.least}"
    if spec.most is not None and number > spec.most:
        return f"is more than {spec.most}"
    return ""
