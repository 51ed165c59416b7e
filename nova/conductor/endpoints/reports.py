"""What agents say about jobs and guests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nova.conductor.services import reports
from nova.context import RequestContext
from nova.objects.guest import GuestSpec
from nova.objects.host import ObservedGuest
from nova.objects.ids import HostName, InstanceId
from nova.objects.jobs import Job, JobOutcome

if TYPE_CHECKING:
    from nova.conductor.world import World


class ReportsEndpoint:
    """Implements the part of ``contracts.conductor.reports`` about jobs and guests."""

    world: World

    def report(self, ctx: RequestContext, outcomes: list[JobOutcome]) -> None:
        del ctx
        self.world.engine.report(outcomes)

    def owed(self, ctx: RequestContext, host: HostName, topic: str) -> list[Job]:
        del ctx
        return reports.owed(self.world, host, topic)

    def owed_by(self, ctx: RequestContext, hosts: list[HostName], topic: str) -> dict[HostName, list[Job]]:
        del ctx
        return reports.owed_by(self.world, hosts, topic)

    def observed(
        self, ctx: RequestContext, host: HostName, guests: list[ObservedGuest], whole: bool
    ) -> list[InstanceId]:
        return reports.observed(self.world, ctx, host, guests, whole=whole)

    def guests_of(self, ctx: RequestContext, host: HostName) -> list[GuestSpec]:
        del ctx
        return reports.guests_of(self.world, host)

    def guest(self, ctx: RequestContext, instance: InstanceId) -> GuestSpec:
        del ctx
        return reports.guest(self.world, instance)
