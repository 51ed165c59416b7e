"""A host's face on the wire: takes orders, answers small questions at once."""

from __future__ import annotations

import os

import msgspec

from nova import __version__
from nova.compute.agent import Agent
from nova.compute.host import BINARY
from nova.context import RequestContext
from nova.errors.virt import NotCapable
from nova.objects.guest import ConsoleTarget, Diagnostics
from nova.objects.holdings import GuestHoldings
from nova.objects.ids import HostName, InstanceId, JobId
from nova.objects.image import Image
from nova.objects.jobs import Job, JobOutcome
from nova.objects.states import Capability
from nova.rpc.contracts.base import DaemonFacts
from nova.virt.capabilities import ConsoleLog, GuestDiagnostics, Inventoried, Vnc, able

CONSOLE_BYTES = 1 << 20
"""Most of a console log that is sent."""


class Endpoint:
    """Answers the contract ``Compute`` for one host."""

    def __init__(self, agent: Agent, host: HostName) -> None:
        self._agent = agent
        self._host = host
        self._driver = agent.hosts[host].driver

    def run_jobs(self, ctx: RequestContext, jobs: list[Job]) -> None:  # noqa: ARG002
        self._agent.order(self._host, jobs)

    def job_status(self, ctx: RequestContext, jobs: list[JobId]) -> list[JobOutcome]:  # noqa: ARG002
        return [self._agent.book.status(self._host, job) for job in jobs]

    def console_output(
        self,
        ctx: RequestContext,  # noqa: ARG002
        instance: InstanceId,
        tail: int | None,
    ) -> str:
        driver = able(self._driver, ConsoleLog, Capability.CONSOLE_LOG)
        return driver.console_log(instance, tail, CONSOLE_BYTES).decode(errors="replace")

    def vnc(self, ctx: RequestContext, instance: InstanceId) -> ConsoleTarget:  # noqa: ARG002
        return able(self._driver, Vnc, Capability.VNC).vnc(instance)

    def diagnostics(self, ctx: RequestContext, instance: InstanceId) -> Diagnostics:  # noqa: ARG002
        return able(self._driver, GuestDiagnostics, Capability.DIAGNOSTICS).diagnostics(instance)

    def holdings(self, ctx: RequestContext) -> GuestHoldings:  # noqa: ARG002
        driver = self._driver
        if not isinstance(driver, Inventoried):
            raise NotCapable(capability="holdings")
        # Asked for on both sides of the look: what was at work at any time in between is told.
        before = self._agent.book.guests_at_work(self._host)
        found = driver.holdings()
        at_work = before | self._agent.book.guests_at_work(self._host)
        return msgspec.structs.replace(found, at_work=tuple(sorted(at_work)))

    def cache_images(self, ctx: RequestContext, images: list[Image]) -> None:  # noqa: ARG002
        self._agent.cache_images(self._host, images)

    def filters_changed(self, ctx: RequestContext, instances: list[InstanceId]) -> None:  # noqa: ARG002
        self._agent.filters_changed(self._host, instances)

    def ping(self, ctx: RequestContext) -> DaemonFacts:  # noqa: ARG002
        return DaemonFacts(binary=BINARY, host=self._host, version=__version__, pid=os.getpid())
