"""Networks, security groups and the metadata of guests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nova.conductor.services import metadata_service, networks, security_groups
from nova.context import RequestContext
from nova.objects.ids import InstanceId, NetworkId
from nova.objects.metadata import GuestMetadata
from nova.objects.network import Network, SecurityGroup, SecurityRule

if TYPE_CHECKING:
    from nova.conductor.world import World


class NetworksEndpoint:
    """Answers :class:`nova.rpc.contracts.conductor.networks.Networks`."""

    world: World

    def list_networks(self, ctx: RequestContext) -> list[Network]:
        return networks.list_networks(self.world, ctx)

    def show_network(self, ctx: RequestContext, network: NetworkId) -> Network:
        return networks.show(self.world, ctx, network)

    def create_network(self, ctx: RequestContext, network: Network) -> Network:
        return networks.create(self.world, ctx, network)

    def delete_network(self, ctx: RequestContext, network: NetworkId) -> None:
        networks.delete(self.world, ctx, network)

    def list_security_groups(self, ctx: RequestContext, all_projects: bool) -> list[SecurityGroup]:
        return security_groups.list_groups(self.world, ctx, all_projects)

    def show_security_group(self, ctx: RequestContext, group: str) -> SecurityGroup:
        return security_groups.show(self.world, ctx, group)

    def create_security_group(self, ctx: RequestContext, name: str, description: str) -> SecurityGroup:
        return security_groups.create(self.world, ctx, name, description)

    def update_security_group(
        self, ctx: RequestContext, group: str, name: str, description: str
    ) -> SecurityGroup:
        return security_groups.update(self.world, ctx, group, name, description)

    def delete_security_group(self, ctx: RequestContext, group: str) -> None:
        security_groups.delete(self.world, ctx, group)

    def add_security_rule(self, ctx: RequestContext, group: str, rule: SecurityRule) -> SecurityRule:
        return security_groups.add_rule(self.world, ctx, group, rule)

    def delete_security_rule(self, ctx: RequestContext, rule: str) -> None:
        security_groups.delete_rule(self.world, ctx, rule)

    def join_security_group(self, ctx: RequestContext, instance: InstanceId, name: str) -> None:
        security_groups.join(self.world, ctx, instance, name)

    def leave_security_group(self, ctx: RequestContext, instance: InstanceId, name: str) -> None:
        security_groups.leave(self.world, ctx, instance, name)

    def metadata_by_address(self, ctx: RequestContext, address: str) -> GuestMetadata | None:
        return metadata_service.by_address(self.world, address)

    def metadata_by_id(self, ctx: RequestContext, instance: InstanceId) -> GuestMetadata | None:
        return metadata_service.by_id(self.world, instance)

    def put_guest_password(self, ctx: RequestContext, address: str, password: str) -> bool:
        return metadata_service.put_password(self.world, address, password)

    def show_guest_password(self, ctx: RequestContext, instance: InstanceId) -> str:
        return metadata_service.password_of(self.world, ctx, instance)

    def clear_guest_password(self, ctx: RequestContext, instance: InstanceId) -> None:
        metadata_service.clear_password(self.world, ctx, instance)
