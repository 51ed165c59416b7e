"""Change names, addresses and the like of a server."""

from __future__ import annotations

from nova.api.compute.servers import bodies, rules, views
from nova.api.wsgi.operation import Operation
from nova.api.wsgi.request import Request
from nova.errors import Conflict
from nova.objects.ids import InstanceId
from nova.objects.instance import Instance, InstanceChanges


def update(req: Request, id: str) -> Instance:
    """Change a server; what is left out stays as it is."""
    asked = req.body["server"]
    if "pinned_availability_zone" in asked:
        _check_pinned_zone(req, id, asked["pinned_availability_zone"])
    name = asked.get("name")
    config = asked.get("OS-DCF:diskConfig")
    description = asked.get("description")
    changes = InstanceChanges(
        display_name=None if name is None else name.strip(),
        description=description,
        clear_description="description" in asked and description is None,
        hostname=asked.get("hostname"),
        access_ip_v4=asked.get("accessIPv4"),
        access_ip_v6=asked.get("accessIPv6"),
        auto_disk_config=None if config is None else config == "AUTO",
    )
    return req.conductor.update_instance(req.ctx, InstanceId(id), changes)


def _check_pinned_zone(req: Request, server_id: str, zone: str | None) -> None:
    """Accept the zone the server is pinned to already; it cannot be moved to another by a name."""
    instance = req.conductor.show_instance(req.ctx, InstanceId(server_id))
    if zone != instance.pinned_zone:
        raise Conflict(
            reason=f"Server {server_id} is pinned to zone {instance.pinned_zone}; that cannot be changed."
        )


OPERATIONS = (
    Operation(
        name="servers.update",
        method="PUT",
        path="/servers/{id}",
        handler=update,
        view=views.one_server,
        policy=rules.UPDATE,
        body=bodies.UPDATE,
        rules=rules.VIEWS,
    ),
)
