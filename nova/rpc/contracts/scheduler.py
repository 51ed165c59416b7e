"""nova-scheduler."""

from __future__ import annotations

from nova.context import RequestContext
from nova.objects.host import HostSnapshot
from nova.objects.placement import Decision, PlacementRequest
from nova.rpc.contract import call, contract, fanout
from nova.rpc.contracts.base import Common


@contract(topic="scheduler", version="1.0")
class Scheduler(Common):
    """Chooses hosts; changes nothing."""

    @call(since="1.0", timeout=30, idempotent=True)
    def select(self, ctx: RequestContext, requests: list[PlacementRequest]) -> list[Decision]:
        """Place all requests in order, each seeing the earlier ones; one decision for each."""

    @fanout(since="1.0")
    def hosts_changed(self, ctx: RequestContext, snapshot: HostSnapshot) -> None:
        """Take over what changed; a gap in the positions makes the scheduler fetch a whole snapshot."""
