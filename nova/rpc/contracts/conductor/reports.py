"""What agents and schedulers say and ask: a topic and pool of their own."""

from __future__ import annotations

from nova.context import RequestContext
from nova.objects.guest import GuestSpec
from nova.objects.host import HostInventory, HostSnapshot, ObservedGuest, ServiceBeat
from nova.objects.ids import HostName, InstanceId
from nova.objects.jobs import Job, JobOutcome
from nova.objects.network import GuestFilter, NetworkState
from nova.rpc.contract import call, cast, contract


@contract(topic="conductor-reports", version="1.1")
class Reports:
    """For daemons, not for users."""

    @call(since="1.0", timeout=60, idempotent=True)
    def report(self, ctx: RequestContext, outcomes: list[JobOutcome]) -> None:
        """Take over how jobs ended; once it returns they are remembered."""

    @call(since="1.0", timeout=60, idempotent=True)
    def owed(self, ctx: RequestContext, host: HostName, topic: str) -> list[Job]:
        """List the jobs of a host (topic ``compute`` or ``network``) that are still wanted."""

    @call(since="1.1", timeout=60, idempotent=True)
    def owed_by(self, ctx: RequestContext, hosts: list[HostName], topic: str) -> dict[HostName, list[Job]]:
        """List the same for many hosts at once; those that owe nothing are left out."""

    @call(since="1.0", timeout=60, idempotent=True)
    def inventory(self, ctx: RequestContext, inventories: list[HostInventory]) -> None:
        """Take over what hypervisors have."""

    @cast(since="1.0")
    def heartbeat(self, ctx: RequestContext, beats: list[ServiceBeat]) -> None:
        """Daemons say that they live (one message may speak for many)."""

    @call(since="1.0", timeout=60, idempotent=True)
    def observed(
        self, ctx: RequestContext, host: HostName, guests: list[ObservedGuest], whole: bool
    ) -> list[InstanceId]:
        """Take over power states; ``whole``: these are all guests of the host.

        Returns those that the conductor does not know on that host.
        """

    @call(since="1.0", timeout=60, idempotent=True)
    def guests_of(self, ctx: RequestContext, host: HostName) -> list[GuestSpec]:
        """List the guests that should be on a host."""

    @call(since="1.0", timeout=60, idempotent=True)
    def guest(self, ctx: RequestContext, instance: InstanceId) -> GuestSpec:
        """Look up one guest."""

    @call(since="1.0", timeout=60, idempotent=True)
    def guest_filters(
        self, ctx: RequestContext, host: HostName, instances: list[InstanceId] | None
    ) -> list[GuestFilter]:
        """Return the packet filters of a host's guests (none: of all of them)."""

    @call(since="1.0", timeout=60, idempotent=True)
    def network_state(self, ctx: RequestContext, host: HostName) -> NetworkState:
        """Return all that nova-network must have on its host."""

    @cast(since="1.0")
    def lease_changed(
        self, ctx: RequestContext, address: str, mac: str, leased: bool, host: HostName
    ) -> None:
        """A guest took or gave back its DHCP lease."""

    @call(since="1.0", timeout=60, idempotent=True)
    def host_views(self, ctx: RequestContext, since: int | None) -> HostSnapshot:
        """Return the scheduler's view: whole (``since`` none), or what changed after that position."""
