"""``/servers/{id}/metadata``: what users note on their servers."""

from __future__ import annotations

from typing import Any

from nova.api.compute.servers.show import found
from nova.api.wsgi.operation import Operation
from nova.api.wsgi.request import Request
from nova.api.wsgi.schema_parts import METADATA, NO_QUERY, wrapped
from nova.errors import BadRequest
from nova.errors.servers import MetadataNotFound
from nova.objects.ids import InstanceId
from nova.policy import PROJECT_MEMBER_OR_ADMIN, PROJECT_READER_OR_ADMIN, Rule

_ALL = "/servers/{server_id}/metadata"
_ONE = "/servers/{server_id}/metadata/{id}"
_ITEMS = wrapped("metadata", METADATA)
_ITEM = wrapped("meta", METADATA | {"minProperties": 1, "maxProperties": 1})

Items = dict[str, str]


def _rule(name: str, check: str, summary: str) -> Rule:
    return Rule(f"os_compute_api:server-metadata:{name}", check, summary)


def index(req: Request, server_id: str) -> Items:
    """Show the metadata of a server."""
    return dict(found(req, server_id).metadata)


def create(req: Request, server_id: str) -> Items:
    """Add or overwrite metadata items; show them all."""
    return req.conductor.put_metadata(req.ctx, InstanceId(server_id), req.body["metadata"], False)


def update_all(req: Request, server_id: str) -> Items:
    """Replace all metadata items."""
    return req.conductor.put_metadata(req.ctx, InstanceId(server_id), req.body["metadata"], True)


def show(req: Request, server_id: str, id: str) -> Items:
    """Show one metadata item."""
    items = found(req, server_id).metadata
    if id not in items:
        raise MetadataNotFound()
    return {id: items[id]}


def update(req: Request, server_id: str, id: str) -> Items:
    """Add or overwrite one metadata item."""
    item: Items = req.body["meta"]
    if id not in item:
        raise BadRequest(reason="Request body and URI mismatch")
    kept = req.conductor.put_metadata(req.ctx, InstanceId(server_id), item, False)
    return {id: kept.get(id, item[id])}


def delete(req: Request, server_id: str, id: str) -> None:
    """Drop one metadata item."""
    req.conductor.delete_metadata(req.ctx, InstanceId(server_id), id)


def all_items(req: Request, items: Items) -> dict[str, Any]:  # noqa: ARG001
    """Render all items."""
    return {"metadata": items}


def one_item(req: Request, item: Items) -> dict[str, Any]:  # noqa: ARG001
    """Render one item."""
    return {"meta": item}


OPERATIONS = (
    Operation(
        name="server_metadata.index",
        method="GET",
        path=_ALL,
        handler=index,
        view=all_items,
        policy=_rule("index", PROJECT_READER_OR_ADMIN, "Show the metadata of a server."),
        query=NO_QUERY,
    ),
    Operation(
        name="server_metadata.create",
        method="POST",
        path=_ALL,
        handler=create,
        view=all_items,
        policy=_rule("create", PROJECT_MEMBER_OR_ADMIN, "Add metadata to a server."),
        body=_ITEMS,
    ),
    Operation(
        name="server_metadata.update_all",
        method="PUT",
        path=_ALL,
        handler=update_all,
        view=all_items,
        policy=_rule("update_all", PROJECT_MEMBER_OR_ADMIN, "Replace the metadata of a server."),
        body=_ITEMS,
    ),
    Operation(
        name="server_metadata.show",
        method="GET",
        path=_ONE,
        handler=show,
        view=one_item,
        policy=_rule("show", PROJECT_READER_OR_ADMIN, "Show a metadata item of a server."),
        query=NO_QUERY,
    ),
    Operation(
        name="server_metadata.update",
        method="PUT",
        path=_ONE,
        handler=update,
        view=one_item,
        policy=_rule("update", PROJECT_MEMBER_OR_ADMIN, "Change a metadata item of a server."),
        body=_ITEM,
    ),
    Operation(
        name="server_metadata.delete",
        method="DELETE",
        path=_ONE,
        handler=delete,
        policy=_rule("delete", PROJECT_MEMBER_OR_ADMIN, "Drop a metadata item of a server."),
        success=204,
    ),
)
