"""Requests about hosts: services, hypervisors, aggregates, zones."""

from __future__ import annotations

from nova.context import RequestContext
from nova.objects.host import Aggregate, Hypervisor, Service, Zone
from nova.objects.ids import AggregateId, ImageId, InstanceId, ServiceId
from nova.objects.page import Page
from nova.rpc.contract import call
from nova.rpc.contracts.conductor.head import part


@part
class Hosts:
    """For administrators, but for the names of zones."""

    @call(since="1.0", timeout=60, idempotent=True)
    def list_services(self, ctx: RequestContext, host: str | None, binary: str | None) -> list[Service]:
        """List services with ``is_up`` judged."""

    @call(since="1.0", timeout=60, idempotent=True)
    def update_service(
        self,
        ctx: RequestContext,
        service: ServiceId,
        disabled: bool | None,
        reason: str | None,
        forced_down: bool | None,
    ) -> Service:
        """Enable, disable or force down a service."""

    @call(since="1.0", timeout=60, idempotent=True)
    def delete_service(self, ctx: RequestContext, service: ServiceId) -> None:
        """Forget a service; Conflict when its host has instances."""

    @call(since="1.0", timeout=60, idempotent=True)
    def list_hypervisors(
        self, ctx: RequestContext, page: Page, pattern: str | None, with_service: bool
    ) -> list[Hypervisor]:
        """List hypervisors (``pattern``: part of the hypervisor's name)."""

    @call(since="1.0", timeout=60, idempotent=True)
    def show_hypervisor(self, ctx: RequestContext, hypervisor: str) -> Hypervisor:
        """Look up a hypervisor by uuid or by number."""

    @call(since="1.0", timeout=60, idempotent=True)
    def instances_by_hypervisor(
        self, ctx: RequestContext, hypervisors: list[str]
    ) -> dict[str, list[tuple[InstanceId, str]]]:
        """Return id and name of the instances of each hypervisor (keys: node names)."""

    @call(since="1.0", timeout=60, idempotent=True)
    def list_aggregates(self, ctx: RequestContext) -> list[Aggregate]:
        """List aggregates."""

    @call(since="1.0", timeout=60, idempotent=True)
    def show_aggregate(self, ctx: RequestContext, aggregate: AggregateId) -> Aggregate:
        """Look up an aggregate."""

    @call(since="1.0", timeout=60, idempotent=True)
    def create_aggregate(self, ctx: RequestContext, name: str, zone: str | None) -> Aggregate:
        """Make an aggregate."""

    @call(since="1.0", timeout=60, idempotent=True)
    def update_aggregate(
        self, ctx: RequestContext, aggregate: AggregateId, name: str | None, zone: str | None
    ) -> Aggregate:
        """Rename an aggregate or its zone."""

    @call(since="1.0", timeout=60, idempotent=True)
    def delete_aggregate(self, ctx: RequestContext, aggregate: AggregateId) -> None:
        """Drop an aggregate without hosts."""

    @call(since="1.0", timeout=60, idempotent=True)
    def add_aggregate_host(self, ctx: RequestContext, aggregate: AggregateId, host: str) -> Aggregate:
        """Put a host into an aggregate."""

    @call(since="1.0", timeout=60, idempotent=True)
    def remove_aggregate_host(self, ctx: RequestContext, aggregate: AggregateId, host: str) -> Aggregate:
        """Take a host out of an aggregate."""

    @call(since="1.0", timeout=60, idempotent=True)
    def put_aggregate_metadata(
        self, ctx: RequestContext, aggregate: AggregateId, items: dict[str, str | None]
    ) -> Aggregate:
        """Set metadata items; none drops one."""

    @call(since="1.2", timeout=60, idempotent=True)
    def cache_images(self, ctx: RequestContext, aggregate: AggregateId, images: list[ImageId]) -> None:
        """Have the hosts of an aggregate that work fetch images ahead of need."""

    @call(since="1.0", timeout=60, idempotent=True)
    def list_zones(self, ctx: RequestContext, detail: bool) -> list[Zone]:
        """List availability zones; services of each only with ``detail``."""
