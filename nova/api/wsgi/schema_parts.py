"""Parts that the request schemas of many resources share."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

TRUE_WORDS: tuple[Any, ...] = (True, "True", "TRUE", "true", "1", "ON", "On", "on", "YES", "Yes", "yes")
FALSE_WORDS: tuple[Any, ...] = (False, "False", "FALSE", "false", "0", "OFF", "Off", "off", "NO", "No", "no")

BOOLEAN: Json = {"type": ["boolean", "string"], "enum": [*TRUE_WORDS, *FALSE_WORDS]}
STRING: Json = {"type": "string"}
NULL: Json = {"type": "null"}
ANYTHING: Json = {}
UUID: Json = {"type": "string", "format": "uuid"}
IMAGE_ID: Json = UUID
NAME: Json = {"type": "string", "minLength": 1, "maxLength": 255, "format": "name"}
LOOSE_NAME: Json = {
    "type": "string",
    "minLength": 1,
    "maxLength": 255,
    "format": "name_with_leading_trailing_spaces",
}
DESCRIPTION: Json = {"type": ["string", "null"], "minLength": 0, "maxLength": 255, "format": "printable"}
HOST: Json = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[a-zA-Z0-9-._]*$"}
TAG: Json = {"type": "string", "minLength": 1, "maxLength": 60, "pattern": "^[^,/]*$"}
IPV4: Json = {"type": "string", "format": "ipv4"}
IPV6: Json = {"type": "string", "format": "ipv6"}
REGEX: Json = {"type": "string", "format": "regex"}
DATE_TIME: Json = {"type": "string", "format": "date-time"}
BASE64: Json = {"type": "string", "format": "base64"}
NON_NEGATIVE: Json = {"type": ["integer", "string"], "pattern": "^[0-9]*$", "minimum": 0, "minLength": 1}
POSITIVE: Json = {"type": ["integer", "string"], "pattern": "^[0-9]*$", "minimum": 1, "minLength": 1}
QUOTA_LIMIT: Json = {
    "type": ["integer", "string"],
    "pattern": "^-?[0-9]+$",
    "minimum": -1,
    "maximum": 0x7FFFFFFF,
}
METADATA: Json = {
    "type": "object",
    "patternProperties": {"^[a-zA-Z0-9-_:. ]{1,255}$": {"type": "string", "maxLength": 255}},
    "additionalProperties": False,
}


def text(longest: int, shortest: int = 0) -> Json:
    """Return a string of bounded length."""
    return {"type": "string", "minLength": shortest, "maxLength": longest}


def one_of_words(*words: str) -> Json:
    """Return a string that is one of some words."""
    return {"type": "string", "enum": list(words)}


def body(required: tuple[str, ...] = (), /, **properties: Json) -> Json:
    """Return a closed object; ``required`` names the keys that must be there."""
    return closed(properties, required)


def closed(properties: Json, required: tuple[str, ...] = ()) -> Json:
    """Return an object without other keys than these."""
    schema: Json = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        schema["required"] = list(required)
    return schema


def wrapped(key: str, inner: Json) -> Json:
    """Return the schema of a body with exactly one top key."""
    return closed({key: inner}, (key,))


def many(value: Json) -> Json:
    """Return a query key that may repeat."""
    return {"type": "array", "items": value}


def single(value: Json) -> Json:
    """Return a query key that may come once."""
    return {"type": "array", "items": value, "maxItems": 1}


def query(properties: Json | None = None, *, more: bool = False) -> Json:
    """Return the schema of a query string; ``more`` lets unknown keys pass (they are dropped)."""
    return {"type": "object", "properties": properties or {}, "additionalProperties": more}


NO_QUERY: Json = query()
ANY_QUERY: Json = query(more=True)


def truth(value: Any) -> bool:
    """Return what a value that fits :data:`BOOLEAN` means."""
    return value is True or (isinstance(value, str) and value in TRUE_WORDS)
