"""A scheduler that schedules nothing: something to talk with over a broker."""

from __future__ import annotations

import threading

from nova.context import RequestContext
from nova.errors.servers import NoValidHost
from nova.objects.host import HostSnapshot
from nova.objects.placement import Decision, PlacementRequest
from nova.rpc.contracts.base import DaemonFacts


class Hearing:
    """Answers, refuses, and hears what is said to all."""

    def __init__(self) -> None:
        self.heard = threading.Event()

    def ping(self, ctx: RequestContext) -> DaemonFacts:
        return DaemonFacts(binary="nova-scheduler", host=ctx.request_id, version="1")

    def select(self, ctx: RequestContext, requests: list[PlacementRequest]) -> list[Decision]:
        raise NoValidHost(reason="nothing is there")

    def hosts_changed(self, ctx: RequestContext, snapshot: HostSnapshot) -> None:
        self.heard.set()
