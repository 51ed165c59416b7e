"""One server, with all its details."""

from __future__ import annotations

from nova.api.compute.servers import rules, views
from nova.api.wsgi.operation import Operation
from nova.api.wsgi.request import Request
from nova.api.wsgi.schema_parts import NO_QUERY
from nova.objects.ids import InstanceId
from nova.objects.instance import Instance


def found(req: Request, server_id: str) -> Instance:
    """Return a server the caller may see; 404 for others and, by the operation's rule, 403."""
    instance = req.conductor.show_instance(req.ctx, InstanceId(server_id))
    if instance.project_id != req.ctx.project_id or instance.user_id != req.ctx.user_id:
        req.authorize(target_project_id=instance.project_id, target_user_id=instance.user_id)
    return instance


def show(req: Request, id: str) -> Instance:
    """Show a server."""
    return found(req, id)


OPERATIONS = (
    Operation(
        name="servers.show",
        method="GET",
        path="/servers/{id}",
        handler=show,
        view=views.one_server,
        policy=rules.SHOW,
        query=NO_QUERY,
        rules=rules.VIEWS,
    ),
)
