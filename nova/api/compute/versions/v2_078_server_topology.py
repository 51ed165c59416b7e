"""2.78: the NUMA topology of a server can be seen."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.78",
    summary="The NUMA topology of a server can be seen.",
    adds_operations=("server_topology.index",),
)
