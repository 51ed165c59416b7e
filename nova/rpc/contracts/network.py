"""nova-network."""

from __future__ import annotations

from nova.context import RequestContext
from nova.objects.holdings import NetworkHoldings
from nova.objects.ids import JobId
from nova.objects.jobs import Job, JobOutcome
from nova.rpc.contract import call, cast, contract, fanout
from nova.rpc.contracts.base import Common


@contract(topic="network", version="1.2")
class NetworkHost(Common):
    """Makes networks on one host; addressed by host name."""

    @cast(since="1.0")
    def run_jobs(self, ctx: RequestContext, jobs: list[Job]) -> None:
        """Do these jobs; each is answered by ``Reports.report``, however often it is sent."""

    @call(since="1.0", timeout=20, idempotent=True)
    def job_status(self, ctx: RequestContext, jobs: list[JobId]) -> list[JobOutcome]:
        """Tell how these jobs stand; verdict ``unknown`` for those this agent never saw."""

    @call(since="1.1", timeout=30, idempotent=True)
    def holdings(self, ctx: RequestContext) -> NetworkHoldings:
        """Look at the host and name the addresses that its DHCP servers give out; changes nothing."""

    @fanout(since="1.0")
    def networks_changed(self, ctx: RequestContext) -> None:
        """Something about networks or addresses changed: look at the truth soon."""
