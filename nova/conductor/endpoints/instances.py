"""Requests about instances."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nova.conductor.services import actions, instances
from nova.conductor.services.boot.admit import Asked, boot
from nova.conductor.services.together import Together
from nova.context import RequestContext
from nova.objects.ids import ImageId, InstanceId
from nova.objects.image import NewImage
from nova.objects.instance import (
    Booted,
    BootWish,
    Instance,
    InstanceChanges,
    InstancePage,
    InstanceQuery,
)
from nova.objects.workflow import ActionQuery, WorkflowRecord

if TYPE_CHECKING:
    from nova.conductor.world import World


class InstancesEndpoint:
    """Implements ``contracts.conductor.instances``."""

    world: World
    boots: Together[Asked, Booted]
    acts: Together[actions.Asked, None]

    def boot(self, ctx: RequestContext, wish: BootWish) -> Booted:
        return boot(self.world, self.boots, ctx, wish)

    def show_instance(self, ctx: RequestContext, instance: InstanceId) -> Instance:
        return instances.show(self.world, ctx, instance)

    def list_instances(self, ctx: RequestContext, query: InstanceQuery) -> InstancePage:
        return instances.page(self.world, ctx, query)

    def update_instance(
        self, ctx: RequestContext, instance: InstanceId, changes: InstanceChanges
    ) -> Instance:
        return instances.update(self.world, ctx, instance, changes)

    def act(
        self, ctx: RequestContext, instance: InstanceId, action: str, options: dict[str, str | int | bool]
    ) -> None:
        actions.act(self.world, self.acts, ctx, (instance, action), options)

    def create_image(self, ctx: RequestContext, instance: InstanceId, image: NewImage) -> ImageId:
        return actions.create_image(self.world, ctx, instance, image)

    def put_metadata(
        self, ctx: RequestContext, instance: InstanceId, items: dict[str, str], replace: bool
    ) -> dict[str, str]:
        return instances.put_metadata(self.world, ctx, instance, items, replace=replace)

    def delete_metadata(self, ctx: RequestContext, instance: InstanceId, key: str) -> None:
        instances.delete_metadata(self.world, ctx, instance, key)

    def set_tags(self, ctx: RequestContext, instance: InstanceId, tags: list[str]) -> list[str]:
        return instances.set_tags(self.world, ctx, instance, tags)

    def add_tag(self, ctx: RequestContext, instance: InstanceId, tag: str) -> bool:
        return instances.add_tag(self.world, ctx, instance, tag)

    def delete_tag(self, ctx: RequestContext, instance: InstanceId, tag: str) -> None:
        instances.delete_tag(self.world, ctx, instance, tag)

    def list_actions(
        self, ctx: RequestContext, instance: InstanceId, query: ActionQuery
    ) -> list[WorkflowRecord]:
        return actions.history_of(self.world, ctx, instance, query)

    def show_action(self, ctx: RequestContext, instance: InstanceId, request_id: str) -> WorkflowRecord:
        return actions.record_by_request(self.world, ctx, instance, request_id)
