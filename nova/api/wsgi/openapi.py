"""Operations to an OpenAPI 3.1 document, for any microversion."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from nova.api.wsgi.editions import Editions
from nova.api.wsgi.faults import fault_key
from nova.api.wsgi.operation import Operation
from nova.api.wsgi.schema_parts import closed
from nova.api.wsgi.version import Version

Json = dict[str, Any]

_COMMON_FAULTS = (400, 401, 403, 404)


def document(operations: Sequence[Operation], editions: Editions, version: Version) -> Json:
    """Return the description of everything that exists at a version."""
    paths: Json = {}
    for operation in operations:
        if not operation.gone and editions.alive(operation, version):
            place = paths.setdefault(operation.path, {})
            method = operation.method.lower()
            known = place.get(method)
            described = _described(operation, editions, version)
            place[method] = described if known is None else _merged(known, described)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Compute API", "version": str(version)},
        "servers": [{"url": "/v2.1"}],
        "security": [{"token": []}],
        "components": {
            "securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"}},
            "schemas": {"fault": _fault_schema()},
        },
        "paths": dict(sorted(paths.items())),
    }


def _described(operation: Operation, editions: Editions, version: Version) -> Json:
    edition = editions.of(operation, version)
    since, until = editions.lifetime(operation)
    described: Json = {
        "operationId": operation.name,
        "tags": [operation.name.partition(".")[0]],
        "summary": operation.explanation,
        "x-microversions": {"since": str(since), "until": str(until) if until else None},
        "parameters": _parameters(operation, edition.query_check.schema if edition.query_check else {}),
        "responses": {
            str(edition.code): {"description": HTTPStatus(edition.code).phrase},
            **{
                str(code): {
                    "description": fault_key(code),
                    "content": _content({"$ref": "#/components/schemas/fault"}),
                }
                for code in _COMMON_FAULTS
            },
        },
    }
    if operation.policy is not None:
        described["x-policy"] = operation.policy.name
    if edition.body_check is not None:
        described["requestBody"] = {"required": True, "content": _content(edition.body_check.schema)}
    elif operation.action is not None:
        anything = closed({operation.action: {}}, (operation.action,))
        described["requestBody"] = {"required": True, "content": _content(anything)}
    return described


def _parameters(operation: Operation, query: Json) -> list[Json]:
    found: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in operation.variables
    ]
    for name, values in query.get("properties", {}).items():
        found.append({"name": name, "in": "query", "schema": values, "explode": True})
    return found


def _merged(known: Json, action: Json) -> Json:
    """Join two actions of one path: their bodies become alternatives."""
    bodies = [
        body
        for one in (known, action)
        if "requestBody" in one
        for body in _alternatives(one["requestBody"]["content"]["application/json"]["schema"])
    ]
    merged = {**known, "responses": {**known["responses"], **action["responses"]}}
    merged["requestBody"] = {"required": True, "content": _content({"oneOf": bodies})}
    merged["operationId"] = known["tags"][0] + ".action"
    merged["x-actions"] = {
        **known.get("x-actions", {known["operationId"]: known.get("x-policy")}),
        action["operationId"]: action.get("x-policy"),
    }
    merged["summary"] = "Act on it: the body's one key names the action."
    merged.pop("x-policy", None)
    return merged


def _alternatives(schema: Json) -> list[Json]:
    found: list[Json] = schema["oneOf"] if set(schema) == {"oneOf"} else [schema]
    return found


def _content(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}


def _fault_schema() -> Json:
    inner = {
        "type": "object",
        "properties": {"code": {"type": "integer"}, "message": {"type": "string"}},
        "required": ["code", "message"],
    }
    return {"type": "object", "additionalProperties": inner, "minProperties": 1, "maxProperties": 1}
