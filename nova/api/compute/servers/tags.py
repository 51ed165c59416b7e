"""``/servers/{id}/tags``: words by which users find their servers again."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from nova.api.compute.servers.show import found
from nova.api.wsgi.operation import Operation
from nova.api.wsgi.request import Request
from nova.api.wsgi.schema_parts import ANY_QUERY, NULL, TAG, wrapped
from nova.errors.http import InvalidInput
from nova.errors.servers import TagNotFound
from nova.objects.ids import InstanceId
from nova.policy import PROJECT_MEMBER_OR_ADMIN, PROJECT_READER_OR_ADMIN, Rule

_ALL = "/servers/{server_id}/tags"
_ONE = "/servers/{server_id}/tags/{id}"
_LONGEST = 60


def _rule(name: str, check: str, summary: str) -> Rule:
    return Rule(f"os_compute_api:os-server-tags:{name}", check, summary)


def index(req: Request, server_id: str) -> list[str]:
    """List the tags of a server."""
    return list(found(req, server_id).tags)


def update_all(req: Request, server_id: str) -> list[str]:
    """Make the tags of a server exactly these."""
    tags = list(dict.fromkeys(req.body["tags"]))
    return req.conductor.set_tags(req.ctx, InstanceId(server_id), tags)


def delete_all(req: Request, server_id: str) -> None:
    """Drop all tags of a server."""
    req.conductor.set_tags(req.ctx, InstanceId(server_id), [])


def show(req: Request, server_id: str, id: str) -> None:
    """Tell whether a server has a tag: 404 if not."""
    if id not in found(req, server_id).tags:
        raise TagNotFound(id=server_id, tag=id)


def update(req: Request, server_id: str, id: str) -> None:
    """Add a tag to a server; 204 if it was there."""
    if not 1 <= len(id) <= _LONGEST or "," in id or "/" in id:
        raise InvalidInput(
            reason=f"Tag '{id}' is invalid. It must be a string of 1 to {_LONGEST} characters "
            "without '/' and ','."
        )
    if req.conductor.add_tag(req.ctx, InstanceId(server_id), id):
        req.respond_at(req.links.to(f"servers/{server_id}/tags/{quote(id)}"))
    else:
        req.status = 204


def delete(req: Request, server_id: str, id: str) -> None:
    """Drop a tag of a server."""
    req.conductor.delete_tag(req.ctx, InstanceId(server_id), id)


def all_tags(req: Request, tags: list[str]) -> dict[str, Any]:  # noqa: ARG001
    """Render the tags."""
    return {"tags": tags}


OPERATIONS = (
    Operation(
        name="server_tags.index",
        method="GET",
        path=_ALL,
        handler=index,
        view=all_tags,
        policy=_rule("index", PROJECT_READER_OR_ADMIN, "List the tags of a server."),
        query=ANY_QUERY,
    ),
    Operation(
        name="server_tags.update_all",
        method="PUT",
        path=_ALL,
        handler=update_all,
        view=all_tags,
        policy=_rule("update_all", PROJECT_MEMBER_OR_ADMIN, "Replace the tags of a server."),
        body=wrapped("tags", {"type": "array", "items": TAG, "maxItems": 50}),
    ),
    Operation(
        name="server_tags.delete_all",
        method="DELETE",
        path=_ALL,
        handler=delete_all,
        policy=_rule("delete_all", PROJECT_MEMBER_OR_ADMIN, "Drop all tags of a server."),
        success=204,
    ),
    Operation(
        name="server_tags.show",
        method="GET",
        path=_ONE,
        handler=show,
        policy=_rule("show", PROJECT_READER_OR_ADMIN, "Ask whether a server has a tag."),
        success=204,
        query=ANY_QUERY,
    ),
    Operation(
        name="server_tags.update",
        method="PUT",
        path=_ONE,
        handler=update,
        policy=_rule("update", PROJECT_MEMBER_OR_ADMIN, "Add a tag to a server."),
        success=201,
        body=NULL,
    ),
    Operation(
        name="server_tags.delete",
        method="DELETE",
        path=_ONE,
        handler=delete,
        policy=_rule("delete", PROJECT_MEMBER_OR_ADMIN, "Drop a tag of a server."),
        success=204,
    ),
)
