"""JSON schemas to checks: compiled once, with the Compute API's two peculiarities and its messages.

``minimum`` and ``maximum`` also count for strings that hold a number, and formats are those of
:mod:`nova.api.wsgi.formats`.  Equal schemas share one compiled check.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping
from typing import Any

import jsonschema_rs

from nova.api.wsgi.formats import FORMATS
from nova.errors.http import InvalidInput
from nova.log import mask, names_secret

Json = dict[str, Any]


def _number(instance: Any) -> float | int | None:
    if isinstance(instance, bool):
        return None
    if isinstance(instance, (int, float)):
        return instance
    if isinstance(instance, str):
        try:
            return int(instance)
        except ValueError:
            try:
                return float(instance)
            except ValueError:
                return None
    return None


class _Bound:
    """A limit for numbers and for strings that hold one (the validator's interface for own keywords)."""

    words = ""
    keeps: Callable[..., Any]

    def __init__(self, parent_schema: Json, value: Any, path: Any) -> None:  # noqa: ARG002
        self._limit = value

    def validate(self, instance: Any) -> None:
        number = _number(instance)
        if number is not None and not type(self).keeps(number, self._limit):
            raise ValueError(f"{instance} is {self.words} {self._limit}")


class _Minimum(_Bound):
    words, keeps = "less than the minimum of", operator.ge


class _Maximum(_Bound):
    words, keeps = "greater than the maximum of", operator.le


class _Above(_Bound):
    words, keeps = "less than or equal to the minimum of", operator.gt


class _Below(_Bound):
    words, keeps = "greater than or equal to the maximum of", operator.lt


_BOUNDS: dict[str, Any] = {
    "minimum": _Minimum,
    "maximum": _Maximum,
    "exclusiveMinimum": _Above,
    "exclusiveMaximum": _Below,
}


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_TOLD else text[:_MOST_TOLD] + "..."


def _discreet(path: list[Any], value: Any, message: str) -> tuple[str, str]:
    """Return a mismatch without the secrets in it: faults are kept and passed on."""
    if any(isinstance(part, str) and names_secret(part) for part in path):
        told = message.replace(value, "***") if isinstance(value, str) and value else ""
        return "***", told if told != message and told else "It is not what it must be."
    return mask(str(value)), mask(message)


_MOST_TOLD = 1024
"""Characters of a value, and of what is wrong with it, that a fault repeats."""


class Check:
    """One compiled schema."""

    def __init__(self, schema: Json) -> None:
        self.schema = schema
        self._validator = jsonschema_rs.Draft202012Validator(
            schema, formats=FORMATS, validate_formats=True, keywords=_BOUNDS
        )

    def accepts(self, document: Any) -> bool:
        """Tell whether a document fits."""
        return bool(self._validator.is_valid(document))

    def body(self, document: Any) -> None:
        """Raise :class:`InvalidInput` with the first mismatch of a request body."""
        if not self._validator.is_valid(document):
            path, value, message = self._first(document)
            if path:
                message = f"Invalid input for field/attribute {path[-1]}. Value: {value}. {message}"
            raise InvalidInput(reason=message)

    def query(self, values: Mapping[str, list[str]]) -> None:
        """Raise :class:`InvalidInput` with the first mismatch of a query string."""
        if not self._validator.is_valid(values):
            path, value, message = self._first(values)
            if path:
                message = f"Invalid input for query parameters {path[0]}. Value: {value}. {message}"
            raise InvalidInput(reason=message)

    def _first(self, document: Any) -> tuple[list[Any], Any, str]:
        """Return path, value and message of the mismatch that names the deepest place."""
        for error in self._validator.iter_errors(document):
            path = list(error.instance_path)
            value, message = _discreet(path, error.instance, str(error.message))
            return path, _cut(value), _cut(message)
        return [], None, "Invalid request"


class Checks:
    """Compiles schemas, each different one once."""

    def __init__(self) -> None:
        self._by_text: dict[str, Check] = {}

    def of(self, schema: Json) -> Check:
        """Return the check of a schema."""
        text = json.dumps(schema, sort_keys=True)
        found = self._by_text.get(text)
        if found is None:
            found = self._by_text[text] = Check(schema)
        return found


def drop_unknown(schema: Any, document: Any) -> Any:
    """Return a document without the keys that a closed schema does not name (what ``/v2`` forgives)."""
    if not isinstance(schema, dict):
        return document
    if isinstance(document, list):
        items = schema.get("items")
        return [drop_unknown(items, item) for item in document] if items else document
    if not isinstance(document, dict):
        return document
    known = schema.get("properties", {})
    closed = schema.get("additionalProperties") is False and not schema.get("patternProperties")
    return {
        key: drop_unknown(known[key], value) if key in known else value
        for key, value in document.items()
        if key in known or not closed
    }
