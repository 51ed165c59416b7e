"""Security groups of a server: list them, join, leave."""

from __future__ import annotations

from typing import Any

from nova.api.compute.security_groups import listed
from nova.api.compute.servers.show import found
from nova.api.wsgi.operation import Operation
from nova.api.wsgi.request import Request
from nova.api.wsgi.schema_parts import NO_QUERY, body
from nova.objects.ids import InstanceId
from nova.objects.network import SecurityGroup
from nova.policy import PROJECT_MEMBER_OR_ADMIN, PROJECT_READER_OR_ADMIN, Rule

_ACTION = "/servers/{id}/action"
_NAMED = body(("name",), name={"type": "string", "minLength": 1})


def index(req: Request, server_id: str) -> list[SecurityGroup]:
    """List the security groups of a server with their rules."""
    instance = found(req, server_id)
    foreign = instance.project_id != req.ctx.project_id
    groups = req.conductor.list_security_groups(req.ctx, foreign)
    names = set(instance.security_groups)
    return [group for group in groups if group.project_id == instance.project_id and group.name in names]


def join(req: Request, id: str) -> None:
    """Put a server into a security group."""
    req.conductor.join_security_group(req.ctx, InstanceId(id), req.body["addSecurityGroup"]["name"])


def leave(req: Request, id: str) -> None:
    """Take a server out of a security group."""
    req.conductor.leave_security_group(req.ctx, InstanceId(id), req.body["removeSecurityGroup"]["name"])


def _membership(key: str, name: str, handler: Any, summary: str) -> Operation:
    return Operation(
        name=f"security_groups.{key}",
        method="POST",
        path=_ACTION,
        action=key,
        handler=handler,
        policy=Rule(f"os_compute_api:os-security-groups:{name}", PROJECT_MEMBER_OR_ADMIN, summary),
        success=202,
        body=body((key,), **{key: _NAMED}) | {"additionalProperties": True},
    )


OPERATIONS = (
    Operation(
        name="security_groups.server.index",
        method="GET",
        path="/servers/{server_id}/os-security-groups",
        handler=index,
        view=listed,
        policy=Rule(
            "os_compute_api:os-security-groups:list",
            PROJECT_READER_OR_ADMIN,
            "List the security groups of a server.",
        ),
        query=NO_QUERY,
    ),
    _membership("addSecurityGroup", "add", join, "Put a server into a security group."),
    _membership("removeSecurityGroup", "remove", leave, "Take a server out of a security group."),
)
