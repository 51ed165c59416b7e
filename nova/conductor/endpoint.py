"""All that the conductor answers, in one object for the RPC server."""

from __future__ import annotations

import os

from nova import __version__
from nova.conductor.endpoints.catalog import CatalogEndpoint
from nova.conductor.endpoints.consoles import ConsoleTokensEndpoint
from nova.conductor.endpoints.host_reports import HostReportsEndpoint
from nova.conductor.endpoints.hosts import HostsEndpoint
from nova.conductor.endpoints.instances import InstancesEndpoint
from nova.conductor.endpoints.networks import NetworksEndpoint
from nova.conductor.endpoints.projects import ProjectsEndpoint
from nova.conductor.endpoints.relay import RelayEndpoint
from nova.conductor.endpoints.reports import ReportsEndpoint
from nova.conductor.services.actions import acts
from nova.conductor.services.boot.admit import boots
from nova.conductor.world import World
from nova.context import RequestContext
from nova.rpc.contracts.base import DaemonFacts


class ConductorEndpoint(
    InstancesEndpoint,
    CatalogEndpoint,
    ProjectsEndpoint,
    NetworksEndpoint,
    HostsEndpoint,
    ConsoleTokensEndpoint,
    RelayEndpoint,
    ReportsEndpoint,
    HostReportsEndpoint,
):
    """Implements ``contracts.conductor.Conductor``."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.boots = boots(world)
        self.acts = acts(world)

    def ping(self, ctx: RequestContext) -> DaemonFacts:
        """Tell who answers."""
        del ctx
        return DaemonFacts(
            binary="nova-conductor", host=self.world.host, version=__version__, pid=os.getpid()
        )
