"""What agents and schedulers say and ask of hosts and networks (instances' reports are elsewhere)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nova.conductor.services import networks, security_groups, services
from nova.context import RequestContext
from nova.objects.host import HostInventory, HostSnapshot, ServiceBeat
from nova.objects.ids import HostName, InstanceId
from nova.objects.network import GuestFilter, NetworkState

if TYPE_CHECKING:
    from nova.conductor.world import World


class HostReportsEndpoint:
    """Answers the part of :class:`nova.rpc.contracts.conductor.reports.Reports` about hosts and networks."""

    world: World

    def inventory(self, ctx: RequestContext, inventories: list[HostInventory]) -> None:
        services.take_inventory(self.world, inventories)

    def heartbeat(self, ctx: RequestContext, beats: list[ServiceBeat]) -> None:
        services.heartbeat(self.world, beats)

    def guest_filters(
        self, ctx: RequestContext, host: HostName, instances: list[InstanceId] | None
    ) -> list[GuestFilter]:
        return security_groups.guest_filters(self.world, host, instances)

    def network_state(self, ctx: RequestContext, host: HostName) -> NetworkState:
        return networks.state_of(self.world, host)

    def lease_changed(
        self, ctx: RequestContext, address: str, mac: str, leased: bool, host: HostName
    ) -> None:
        networks.lease_changed(self.world, address, mac, leased)

    def host_views(self, ctx: RequestContext, since: int | None) -> HostSnapshot:
        return services.host_views(self.world, since)
