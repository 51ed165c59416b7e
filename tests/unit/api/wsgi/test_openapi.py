"""The OpenAPI document says what the operations say."""

from __future__ import annotations

import json

from nova.api.wsgi.editions import Editions
from nova.api.wsgi.openapi import document
from nova.api.wsgi.version import Version
from tests.unit.api.wsgi.boxes import OPERATIONS, box_history


def described(version: str) -> dict:
    made = document(OPERATIONS, Editions(OPERATIONS, box_history()), Version.parse(version))
    json.dumps(made)
    return made


def test_operations_and_their_facts() -> None:
    paths = described("2.10")["paths"]
    listing = paths["/boxes"]["get"]
    assert listing["operationId"] == "boxes.index"
    assert listing["summary"] == "List boxes, a page at a time."
    assert listing["x-policy"] == "test:boxes:index"
    assert {parameter["name"] for parameter in listing["parameters"]} == {"limit", "marker"}
    assert paths["/boxes/{id}"]["get"]["parameters"][0] == {
        "name": "id",
        "in": "path",
        "required": True,
        "schema": {"type": "string"},
    }
    assert "202" in paths["/boxes"]["post"]["responses"]


def test_actions_of_a_path_are_alternatives() -> None:
    action = described("2.10")["paths"]["/boxes/{id}/action"]["post"]
    schemas = action["requestBody"]["content"]["application/json"]["schema"]["oneOf"]
    assert [list(schema["properties"]) for schema in schemas] == [["paint"], ["smash"]]
    assert action["x-actions"] == {"boxes.paint": "test:boxes:paint", "boxes.smash": "test:boxes:break"}


def test_versions_differ() -> None:
    old, new = described("2.1"), described("2.10")
    assert "/old-boxes" in old["paths"] and "/old-boxes" not in new["paths"]
    assert "/crates" not in old["paths"]
    assert "200" in old["paths"]["/boxes"]["post"]["responses"]
    box = old["paths"]["/boxes"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert "note" not in box["properties"]["box"]["properties"]
