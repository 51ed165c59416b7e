"""A conductor of the tests' own that serves the contract ``Reports`` and remembers what it was told."""

from __future__ import annotations

import os
import threading
from typing import Any

from nova.context import RequestContext
from nova.errors import Unavailable
from nova.errors.rpc import UnsupportedVersion
from nova.errors.servers import InstanceNotFound
from nova.objects.guest import GuestSpec
from nova.objects.host import HostInventory, HostSnapshot, ObservedGuest, ServiceBeat
from nova.objects.ids import HostName, InstanceId, JobId
from nova.objects.jobs import Job, JobOutcome, Verdict
from nova.objects.network import GuestFilter, NetworkState


class ConductorDouble:
    """Thread-safe enough: lists only grow."""

    def __init__(self) -> None:
        self.outcomes: list[JobOutcome] = []
        self.batches: list[int] = []
        self.debts: dict[str, list[Job]] = {}
        self.wanted: set[JobId] | None = None
        self.inventories: dict[str, HostInventory] = {}
        self.inventory_messages = 0
        self.beats: list[list[ServiceBeat]] = []
        self.seen: list[tuple[HostName, list[ObservedGuest], bool]] = []
        self.unknown: list[InstanceId] = []
        self.guests: dict[InstanceId, GuestSpec] = {}
        self.filters: list[GuestFilter] = []
        self.asked_filters: list[list[InstanceId] | None] = []
        self.away = threading.Event()
        self.late_debts: list[Job] = []
        self.questions = 0
        self.is_old = False
        """It knows only what conductors of the release before knew."""
        self.poison: JobId | None = None

    def _here(self) -> None:
        if self.away.is_set():
            raise Unavailable(part="the conductor")

    def ended(self) -> dict[JobId, Verdict]:
        """Return how jobs ended that were reported."""
        return {o.job_id: o.verdict for o in list(self.outcomes) if o.verdict is not Verdict.PROGRESS}

    def outcome(self, job: Job) -> JobOutcome:
        """Return the last report of a job."""
        return next(o for o in reversed(self.outcomes) if o.job_id == job.id)

    def report(self, ctx: RequestContext, outcomes: list[JobOutcome]) -> None:
        self._here()
        if self.poison in [o.job_id for o in outcomes]:
            raise RuntimeError("poison")
        self.batches.append(len(outcomes))
        self.outcomes += outcomes

    def owed(self, ctx: RequestContext, host: HostName, topic: str) -> list[Job]:
        self._here()
        assert topic == "compute"
        self.questions += 1
        return self.debts.get(host, []) + self.late_debts

    def owed_by(self, ctx: RequestContext, hosts: list[HostName], topic: str) -> dict[HostName, list[Job]]:
        if self.is_old:
            raise UnsupportedVersion(part="the conductor", method="owed_by", since="1.1", known="1.0")
        found = {host: self.owed(ctx, host, topic) for host in hosts}
        self.questions -= len(hosts) - 1
        return {host: jobs for host, jobs in found.items() if jobs}

    def inventory(self, ctx: RequestContext, inventories: list[HostInventory]) -> None:
        self._here()
        self.inventory_messages += 1
        self.inventories |= {i.host: i for i in inventories}

    def heartbeat(self, ctx: RequestContext, beats: list[ServiceBeat]) -> None:
        self.beats.append(beats)

    def observed(
        self, ctx: RequestContext, host: HostName, guests: list[ObservedGuest], whole: bool
    ) -> list[InstanceId]:
        self._here()
        self.seen.append((host, guests, whole))
        return self.unknown

    def guests_of(self, ctx: RequestContext, host: HostName) -> list[GuestSpec]:
        return list(self.guests.values())

    def guest(self, ctx: RequestContext, instance: InstanceId) -> GuestSpec:
        if instance not in self.guests:
            raise InstanceNotFound(id=instance)
        return self.guests[instance]

    def guest_filters(
        self, ctx: RequestContext, host: HostName, instances: list[InstanceId] | None
    ) -> list[GuestFilter]:
        self._here()
        self.asked_filters.append(instances)
        return self.filters

    def network_state(self, ctx: RequestContext, host: HostName) -> NetworkState:
        return NetworkState()

    def lease_changed(
        self, ctx: RequestContext, address: str, mac: str, leased: bool, host: HostName
    ) -> None: ...

    def host_views(self, ctx: RequestContext, since: int | None) -> HostSnapshot:
        return HostSnapshot(position=0)

    def ping(self, ctx: RequestContext) -> Any:
        return {"binary": "double", "host": "double", "version": "0", "pid": os.getpid()}
