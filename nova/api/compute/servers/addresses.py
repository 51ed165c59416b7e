"""``/servers/{id}/ips``: the addresses of a server by network."""

from __future__ import annotations

from typing import Any

from nova.api.compute.servers.show import found
from nova.api.compute.servers.views import short_addresses
from nova.api.wsgi.operation import Operation
from nova.api.wsgi.request import Request
from nova.api.wsgi.schema_parts import NO_QUERY
from nova.errors import NotFound
from nova.policy import PROJECT_READER_OR_ADMIN, Rule


def index(req: Request, server_id: str) -> dict[str, Any]:
    """List the addresses of a server by network."""
    return {"addresses": short_addresses(found(req, server_id).vifs)}


def show(req: Request, server_id: str, id: str) -> dict[str, Any]:
    """List the addresses of a server on one network, named by its label."""
    networks = short_addresses(found(req, server_id).vifs)
    if id not in networks:
        raise NotFound(what="Network", id=id)
    return {id: networks[id]}


OPERATIONS = (
    Operation(
        name="ips.index",
        method="GET",
        path="/servers/{server_id}/ips",
        handler=index,
        policy=Rule("os_compute_api:ips:index", PROJECT_READER_OR_ADMIN, "List addresses of a server."),
        query=NO_QUERY,
    ),
    Operation(
        name="ips.show",
        method="GET",
        path="/servers/{server_id}/ips/{id}",
        handler=show,
        policy=Rule("os_compute_api:ips:show", PROJECT_READER_OR_ADMIN, "List addresses on one network."),
        query=NO_QUERY,
    ),
)
