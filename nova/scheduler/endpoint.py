"""nova-scheduler's face on the wire."""

from __future__ import annotations

import os

from nova import __version__
from nova.context import RequestContext
from nova.objects.host import HostSnapshot
from nova.objects.placement import Decision, PlacementRequest
from nova.rpc.contracts.base import DaemonFacts
from nova.scheduler.view import View

BINARY = "nova-scheduler"


class Endpoint:
    """Answers the contract ``Scheduler``."""

    def __init__(self, view: View, host: str) -> None:
        self._view = view
        self._host = host

    def select(self, ctx: RequestContext, requests: list[PlacementRequest]) -> list[Decision]:  # noqa: ARG002
        return self._view.select(requests)

    def hosts_changed(self, ctx: RequestContext, snapshot: HostSnapshot) -> None:  # noqa: ARG002
        self._view.hear(snapshot)

    def ping(self, ctx: RequestContext) -> DaemonFacts:  # noqa: ARG002
        return DaemonFacts(binary=BINARY, host=self._host, version=__version__, pid=os.getpid())
