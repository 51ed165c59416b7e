"""``/servers/{id}/topology``: the NUMA nodes of a server; none has any, as drivers build flat guests."""

from __future__ import annotations

from typing import Any

from nova.api.compute.servers.show import found
from nova.api.wsgi.operation import Operation
from nova.api.wsgi.request import Request
from nova.api.wsgi.schema_parts import NO_QUERY
from nova.policy import PROJECT_READER_OR_ADMIN, Rule


def index(req: Request, server_id: str) -> dict[str, Any]:
    """Show the NUMA topology of a server."""
    found(req, server_id)
    return {"nodes": [], "pagesize_kb": None}


OPERATIONS = (
    Operation(
        name="server_topology.index",
        method="GET",
        path="/servers/{server_id}/topology",
        handler=index,
        policy=Rule(
            "compute:server:topology:index", PROJECT_READER_OR_ADMIN, "Show the NUMA topology of a server."
        ),
        query=NO_QUERY,
    ),
)
