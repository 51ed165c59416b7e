"""Services, hypervisors, aggregates and zones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nova.conductor.services import aggregates, caching, services, zones
from nova.conductor.services import hypervisors as nodes
from nova.context import RequestContext
from nova.objects.host import Aggregate, Hypervisor, Service, Zone
from nova.objects.ids import AggregateId, ImageId, InstanceId, ServiceId
from nova.objects.page import Page

if TYPE_CHECKING:
    from nova.conductor.world import World


class HostsEndpoint:
    """Answers :class:`nova.rpc.contracts.conductor.hosts.Hosts`."""

    world: World

    def list_services(self, ctx: RequestContext, host: str | None, binary: str | None) -> list[Service]:
        return services.list_services(self.world, host, binary)

    def update_service(
        self,
        ctx: RequestContext,
        service: ServiceId,
        disabled: bool | None,
        reason: str | None,
        forced_down: bool | None,
    ) -> Service:
        return services.update(self.world, ctx, service, disabled, reason, forced_down)

    def delete_service(self, ctx: RequestContext, service: ServiceId) -> None:
        services.delete(self.world, ctx, service)

    def list_hypervisors(
        self, ctx: RequestContext, page: Page, pattern: str | None, with_service: bool
    ) -> list[Hypervisor]:
        return nodes.list_hypervisors(self.world, page, pattern, with_service)

    def show_hypervisor(self, ctx: RequestContext, hypervisor: str) -> Hypervisor:
        return nodes.show(self.world, hypervisor)

    def instances_by_hypervisor(
        self, ctx: RequestContext, hypervisors: list[str]
    ) -> dict[str, list[tuple[InstanceId, str]]]:
        return nodes.instances_by_hypervisor(self.world, hypervisors)

    def list_aggregates(self, ctx: RequestContext) -> list[Aggregate]:
        return aggregates.list_aggregates(self.world)

    def show_aggregate(self, ctx: RequestContext, aggregate: AggregateId) -> Aggregate:
        return aggregates.show(self.world, aggregate)

    def create_aggregate(self, ctx: RequestContext, name: str, zone: str | None) -> Aggregate:
        return aggregates.create(self.world, ctx, name, zone)

    def update_aggregate(
        self, ctx: RequestContext, aggregate: AggregateId, name: str | None, zone: str | None
    ) -> Aggregate:
        return aggregates.update(self.world, ctx, aggregate, name, zone)

    def delete_aggregate(self, ctx: RequestContext, aggregate: AggregateId) -> None:
        aggregates.delete(self.world, ctx, aggregate)

    def add_aggregate_host(self, ctx: RequestContext, aggregate: AggregateId, host: str) -> Aggregate:
        return aggregates.add_host(self.world, ctx, aggregate, host)

    def remove_aggregate_host(self, ctx: RequestContext, aggregate: AggregateId, host: str) -> Aggregate:
        return aggregates.remove_host(self.world, ctx, aggregate, host)

    def put_aggregate_metadata(
        self, ctx: RequestContext, aggregate: AggregateId, items: dict[str, str | None]
    ) -> Aggregate:
        return aggregates.put_metadata(self.world, ctx, aggregate, items)

    def cache_images(self, ctx: RequestContext, aggregate: AggregateId, images: list[ImageId]) -> None:
        caching.cache_images(self.world, ctx, aggregate, images)

    def list_zones(self, ctx: RequestContext, detail: bool) -> list[Zone]:
        return zones.list_zones(self.world, detail)
