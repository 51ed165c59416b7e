"""One host of this process: its driver and what jobs on it need."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Protocol

import msgspec

from nova import ids
from nova.compute.config_drive import ConfigDrives
from nova.compute.image_cache import ImageCache
from nova.conf.compute import ComputeConf
from nova.context import RequestContext, system_context
from nova.image.base import ImageStore
from nova.objects.guest import GuestSpec
from nova.objects.host import HostInventory, ObservedGuest, ServiceBeat
from nova.objects.ids import HostName, InstanceId, JobId
from nova.objects.jobs import Job, JobOutcome
from nova.objects.network import GuestFilter
from nova.virt.base import Hypervisor


class Conductor(Protocol):
    """What the agent asks and tells (a part of the conductor's contract ``Reports``)."""

    def report(self, ctx: RequestContext, outcomes: list[JobOutcome]) -> None: ...

    def owed(self, ctx: RequestContext, host: HostName, topic: str) -> list[Job]: ...

    def owed_by(
        self, ctx: RequestContext, hosts: list[HostName], topic: str
    ) -> dict[HostName, list[Job]]: ...

    def inventory(self, ctx: RequestContext, inventories: list[HostInventory]) -> None: ...

    def heartbeat(self, ctx: RequestContext, beats: list[ServiceBeat]) -> None: ...

    def observed(
        self, ctx: RequestContext, host: HostName, guests: list[ObservedGuest], whole: bool
    ) -> list[InstanceId]: ...

    def guest(self, ctx: RequestContext, instance: InstanceId) -> GuestSpec: ...

    def guest_filters(
        self, ctx: RequestContext, host: HostName, instances: list[InstanceId] | None
    ) -> list[GuestFilter]: ...


class Means:
    """What all hosts of the process share."""

    def __init__(
        self,
        conf: ComputeConf,
        conductor: Conductor,
        images: ImageStore,
        cache: ImageCache,
        drives: ConfigDrives,
    ) -> None:
        self.conf = conf
        self.conductor = conductor
        self.images = images
        self.cache = cache
        self.drives = drives


class Host:
    """A host with its driver."""

    __slots__ = (
        "_answered",
        "_asked",
        "_asking",
        "_doubt_until",
        "_owed",
        "driver",
        "greeted_at",
        "last_inventory",
        "last_inventory_at",
        "means",
        "name",
        "needs_images",
        "started",
    )

    def __init__(self, name: HostName, driver: Hypervisor, means: Means, *, needs_images: bool) -> None:
        self.name = name
        self.driver = driver
        self.means = means
        self.needs_images = needs_images
        self.started = False
        """The driver is connected."""
        self.greeted_at: float | None = None
        """When the conductor told what this host owes, on the monotonic clock."""
        self.last_inventory: tuple[HostInventory, ...] = ()
        self.last_inventory_at: float | None = None
        self._doubt_until = float("-inf")
        self._owed: frozenset[JobId] = frozenset()
        self._asked = 0
        self._answered = 0
        self._asking = threading.Lock()

    def greeted(self, now: float, jobs: Iterable[Job]) -> None:
        """Take in which jobs the conductor still wants of this host."""
        self._owed = frozenset(job.id for job in jobs)
        self.greeted_at = now
        self.doubt(now + self.means.conf.verify_window_s)

    def doubt(self, until: float) -> None:
        """Ask the conductor about every build until then: messages may be out of date."""
        self._doubt_until = until

    def is_wanted(self, job: Job, taken_at: float, now: float) -> bool:
        """Tell whether a build is still wanted; what lay about for long is asked for.

        A build that was given up meanwhile may run on another host already.
        """
        fresh = now - taken_at < _STALE_S
        if fresh and (now > self._doubt_until or job.id in self._owed):
            return True
        before = self._asked
        with self._asking:
            # A question that began after we came here, and was answered, is answered for us too.
            if self._answered <= before and not (fresh and job.id in self._owed):
                self._asked += 1
                owed = self.means.conductor.owed(context(), self.name, TOPIC)
                self._owed = frozenset(known.id for known in owed)
                self._answered = self._asked
            return job.id in self._owed


TOPIC = "compute"
BINARY = "nova-compute"
PATIENCE_S = 15.0
_STALE_S = 10.0
"""A build that waited longer for its turn is asked for before it begins."""


def context(timeout_s: float | None = None) -> RequestContext:
    """Return the context of something the agent asks on its own."""
    made = system_context(ids.new_request_id())
    return made if timeout_s is None else msgspec.structs.replace(made, timeout_s=timeout_s)
