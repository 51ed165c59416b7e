"""Delete a server, at once or past every delay."""

from __future__ import annotations

from nova.api.compute.servers import bodies, rules
from nova.api.wsgi.operation import Operation
from nova.api.wsgi.request import Request
from nova.objects.ids import InstanceId
from nova.policy import PROJECT_MEMBER_OR_ADMIN, Rule

FORCE = Rule(
    "os_compute_api:os-deferred-delete:force", PROJECT_MEMBER_OR_ADMIN, "Delete a server without delay."
)


def delete(req: Request, id: str) -> None:
    """Start to delete a server; it stays visible until its host is done."""
    req.conductor.act(req.ctx, InstanceId(id), "delete", {})


def force_delete(req: Request, id: str) -> None:
    """Start to delete a server without the grace that soft deletion gives."""
    req.conductor.act(req.ctx, InstanceId(id), "forceDelete", {})


OPERATIONS = (
    Operation(
        name="servers.delete",
        method="DELETE",
        path="/servers/{id}",
        handler=delete,
        policy=rules.DELETE,
        success=204,
    ),
    Operation(
        name="deferred_delete.forceDelete",
        method="POST",
        path="/servers/{id}/action",
        action="forceDelete",
        handler=force_delete,
        policy=FORCE,
        success=202,
        body=bodies.action("forceDelete"),
    ),
)
