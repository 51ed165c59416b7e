"""nova-network's face on the wire: takes orders, does nothing itself."""

from __future__ import annotations

import os

from nova import __version__
from nova.context import RequestContext
from nova.network.agent import Agent
from nova.objects.holdings import NetworkHoldings
from nova.objects.ids import JobId
from nova.objects.jobs import Job, JobOutcome
from nova.rpc.contracts.base import DaemonFacts

BINARY = "nova-network"


class Endpoint:
    """Answers the contract ``NetworkHost``."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def run_jobs(self, ctx: RequestContext, jobs: list[Job]) -> None:  # noqa: ARG002
        self._agent.order(jobs)

    def job_status(self, ctx: RequestContext, jobs: list[JobId]) -> list[JobOutcome]:  # noqa: ARG002
        return [self._agent.book.status(job) for job in jobs]

    def holdings(self, ctx: RequestContext) -> NetworkHoldings:  # noqa: ARG002
        return self._agent.holdings()

    def networks_changed(self, ctx: RequestContext) -> None:  # noqa: ARG002
        self._agent.wake.heal()

    def ping(self, ctx: RequestContext) -> DaemonFacts:  # noqa: ARG002
        return DaemonFacts(binary=BINARY, host=self._agent.host, version=__version__, pid=os.getpid())
