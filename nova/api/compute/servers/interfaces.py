"""``/servers/{id}/os-interface``: the network interfaces of a server, to look at."""

from __future__ import annotations

from typing import Any

from nova.api.compute.servers.show import found
from nova.api.wsgi.operation import Operation
from nova.api.wsgi.request import Request
from nova.api.wsgi.schema_parts import NO_QUERY
from nova.errors import NotFound
from nova.objects.instance import Instance
from nova.objects.network import Vif
from nova.objects.states import Power
from nova.policy import PROJECT_READER_OR_ADMIN, Rule

Json = dict[str, Any]
_PATH = "/servers/{server_id}/os-interface"
_NAME = "os_compute_api:os-attach-interfaces:"
LIST = Rule(f"{_NAME}list", PROJECT_READER_OR_ADMIN, "List interfaces of a server.")
SHOW = Rule(f"{_NAME}show", PROJECT_READER_OR_ADMIN, "Show an interface of a server.")
_LINK_UP = frozenset({Power.RUNNING, Power.PAUSED})


def index(req: Request, server_id: str) -> Json:
    """List the interfaces of a server."""
    server = found(req, server_id)
    return {"interfaceAttachments": [_entry(server, vif) for vif in server.vifs]}


def show(req: Request, server_id: str, id: str) -> Json:
    """Show an interface of a server, by the id of its port."""
    server = found(req, server_id)
    for vif in server.vifs:
        if vif.id == id:
            return {"interfaceAttachment": _entry(server, vif)}
    raise NotFound(what="Port", id=id)


def _entry(server: Instance, vif: Vif) -> Json:
    """Render an interface; a network here has one range a family, so its own id stands for the subnet's."""
    return {
        "net_id": vif.network_id,
        "port_id": vif.id,
        "mac_addr": vif.mac,
        "port_state": "ACTIVE" if server.power_state in _LINK_UP else "DOWN",
        "fixed_ips": [{"subnet_id": vif.network_id, "ip_address": address} for address in vif.addresses],
        "tag": vif.tag,
    }


OPERATIONS = (
    Operation(
        name="attach_interfaces.index",
        method="GET",
        path=_PATH,
        handler=index,
        policy=Rule(
            "os_compute_api:os-attach-interfaces:list",
            PROJECT_READER_OR_ADMIN,
            "List interfaces of a server.",
        ),
        query=NO_QUERY,
    ),
    Operation(
        name="attach_interfaces.show",
        method="GET",
        path=f"{_PATH}/{{id}}",
        handler=show,
        policy=Rule(
            "os_compute_api:os-attach-interfaces:show",
            PROJECT_READER_OR_ADMIN,
            "Show an interface of a server.",
        ),
        query=NO_QUERY,
    ),
)
