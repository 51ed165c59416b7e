"""``/os-server-groups``: servers that should share a host, or should not."""

from __future__ import annotations

from typing import Any

from nova.api.wsgi.operation import Operation, Rule
from nova.api.wsgi.paging import offset_query
from nova.api.wsgi.request import Request
from nova.api.wsgi.schema_parts import (
    NAME,
    NO_QUERY,
    NON_NEGATIVE,
    POSITIVE,
    STRING,
    body,
    many,
    one_of_words,
    query,
    wrapped,
)
from nova.errors.http import InvalidInput
from nova.objects.ids import GroupId
from nova.objects.page import Page
from nova.objects.server_group import ServerGroup
from nova.policy import ADMIN, PROJECT_MEMBER_OR_ADMIN, PROJECT_READER_OR_ADMIN

Json = dict[str, Any]

_NAME = "os_compute_api:os-server-groups:"
LIST = Rule(f"{_NAME}index", PROJECT_READER_OR_ADMIN, "List server groups.")
LIST_ALL = Rule(f"{_NAME}index:all_projects", ADMIN, "List server groups of all projects.")
CREATE = Rule(f"{_NAME}create", PROJECT_MEMBER_OR_ADMIN, "Make a server group.")
SHOW = Rule(f"{_NAME}show", PROJECT_READER_OR_ADMIN, "Show a server group.")
DELETE = Rule(f"{_NAME}delete", PROJECT_MEMBER_OR_ADMIN, "Drop a server group.")


def index(req: Request) -> list[ServerGroup]:
    """List server groups."""
    limit, offset = offset_query(req)
    everywhere = "all_projects" in req.query and req.may(LIST_ALL)
    return req.conductor.list_server_groups(req.ctx, Page(limit=limit, offset=offset), everywhere)


def create(req: Request) -> ServerGroup:
    """Make a server group."""
    wish = req.body["server_group"]
    most = wish.get("rules", {}).get("max_server_per_host")
    if most is not None and wish["policy"] != "anti-affinity":
        raise InvalidInput(reason="Only anti-affinity policy supports rules.")
    return req.conductor.create_server_group(
        req.ctx, wish["name"].strip(), wish["policy"], None if most is None else int(most)
    )


def show(req: Request, id: str) -> ServerGroup:
    """Show a server group."""
    group = req.conductor.show_server_group(req.ctx, GroupId(id))
    req.authorize(target_project_id=group.project_id)
    return group


def delete(req: Request, id: str) -> None:
    """Drop a server group; its members stay."""
    group = req.conductor.show_server_group(req.ctx, GroupId(id))
    req.authorize(target_project_id=group.project_id)
    req.conductor.delete_server_group(req.ctx, group.id)


def entry(group: ServerGroup) -> Json:
    """Render a server group."""
    rules = {} if group.max_per_host is None else {"max_server_per_host": group.max_per_host}
    return {
        "id": group.id,
        "name": group.name,
        "policy": group.policy,
        "rules": rules,
        "members": list(group.members),
        "project_id": group.project_id,
        "user_id": group.user_id,
    }


def listed(_: Request, groups: list[ServerGroup]) -> Json:
    """Render a list of server groups."""
    return {"server_groups": [entry(group) for group in groups]}


def one(_: Request, group: ServerGroup) -> Json:
    """Render one server group."""
    return {"server_group": entry(group)}


_PATH = "/os-server-groups"
_POLICIES = one_of_words("anti-affinity", "affinity", "soft-anti-affinity", "soft-affinity")

OPERATIONS = (
    Operation(
        name="server_groups.index",
        method="GET",
        path=_PATH,
        handler=index,
        view=listed,
        policy=LIST,
        rules=(LIST_ALL,),
        query=query(
            {"all_projects": many(STRING), "limit": many(NON_NEGATIVE), "offset": many(NON_NEGATIVE)}
        ),
    ),
    Operation(
        name="server_groups.create",
        method="POST",
        path=_PATH,
        handler=create,
        view=one,
        policy=CREATE,
        body=wrapped(
            "server_group",
            body(("name", "policy"), name=NAME, policy=_POLICIES, rules=body(max_server_per_host=POSITIVE)),
        ),
    ),
    Operation(
        name="server_groups.show",
        method="GET",
        path=_PATH + "/{id}",
        handler=show,
        view=one,
        policy=SHOW,
        own_project=False,
        query=NO_QUERY,
    ),
    Operation(
        name="server_groups.delete",
        method="DELETE",
        path=_PATH + "/{id}",
        handler=delete,
        policy=DELETE,
        own_project=False,
        success=204,
    ),
)
