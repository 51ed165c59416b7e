"""What every operation takes at every microversion, against ``tests/golden/api``.

The golden files were compared with the public schemas of the API when they were written, instance by
instance; whoever changes one compares again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from nova.api.compute import registry, versions
from nova.api.wsgi.editions import Editions
from nova.api.wsgi.operation import Operation
from nova.api.wsgi.version import LEGACY, Version
from tests.support.borders import GoldenBorders

HISTORY = versions.history()
ALL = registry.operations()
EDITIONS = Editions(ALL, HISTORY)
OPERATIONS = [one for one in ALL if not one.gone and (one.body is not None or one.query is not None)]
VERSIONS = [LEGACY, *(Version(2, minor) for minor in range(1, 105))]
FILE = GoldenBorders("requests")
_BELOW = ("properties", "patternProperties", "items", "oneOf", "anyOf", "allOf", "required")


def constraints(schema: Any, path: str) -> Iterator[str]:
    """Yield one line for each place of a schema: its path and what must hold there."""
    if not isinstance(schema, dict):
        yield f"{path} {json.dumps(schema)}"
        return
    own = {key: value for key, value in sorted(schema.items()) if key not in _BELOW}
    if own != {"type": "object", "additionalProperties": False}:
        yield f"{path} {json.dumps(own, ensure_ascii=True)}"
    needed = schema.get("required", ())
    for key, below in schema.get("properties", {}).items():
        yield from constraints(below, f"{path}.{key}{'!' if key in needed else ''}")
    for key, below in schema.get("patternProperties", {}).items():
        yield from constraints(below, f"{path}.<{key}>")
    if "items" in schema:
        yield from constraints(schema["items"], f"{path}[]")
    for word in ("oneOf", "anyOf", "allOf"):
        for number, below in enumerate(schema.get(word, ())):
            yield from constraints(below, f"{path}|{word}{number}")


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_requests(operation: Operation) -> None:
    def ask(version: Version) -> Iterator[str]:
        body = HISTORY.body_schema(operation.story, operation.body, version)
        query = HISTORY.query_schema(operation.story, operation.query, version)
        if body is not None:
            yield from constraints(body, "body")
        if query is not None:
            yield from constraints(query, "query")

    FILE.check(operation.name, [v for v in VERSIONS if EDITIONS.alive(operation, v)], ask)


def test_the_file_has_nothing_else() -> None:
    assert FILE.names == {operation.name for operation in OPERATIONS}
