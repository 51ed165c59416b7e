"""Requests about instances."""

from __future__ import annotations

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
from nova.rpc.contract import call
from nova.rpc.contracts.conductor.head import part


@part
class Instances:
    """Look-ups see the caller's project only, unless the caller is an administrator.

    Whatever starts a workflow derives its ids from ``ctx.request_id``: repeating a call is harmless.
    """

    @call(since="1.0", timeout=60, idempotent=True)
    def boot(self, ctx: RequestContext, wish: BootWish) -> Booted:
        """Check, count against the quota and commit new instances with their workflows, all or none."""

    @call(since="1.0", timeout=60, idempotent=True)
    def show_instance(self, ctx: RequestContext, instance: InstanceId) -> Instance:
        """Look up one instance."""

    @call(since="1.0", timeout=60, idempotent=True)
    def list_instances(self, ctx: RequestContext, query: InstanceQuery) -> InstancePage:
        """Look up a page of instances."""

    @call(since="1.0", timeout=60, idempotent=True)
    def update_instance(
        self, ctx: RequestContext, instance: InstanceId, changes: InstanceChanges
    ) -> Instance:
        """Change names and the like; return the instance after it."""

    @call(since="1.0", timeout=60, idempotent=True)
    def act(
        self, ctx: RequestContext, instance: InstanceId, action: str, options: dict[str, str | int | bool]
    ) -> None:
        """Start the named action of ``nova.lifecycle.actions``; options as that action documents them."""

    @call(since="1.0", timeout=60, idempotent=True)
    def create_image(self, ctx: RequestContext, instance: InstanceId, image: NewImage) -> ImageId:
        """Start a snapshot into a new image; return the id of the image, which is still empty."""

    @call(since="1.0", timeout=60, idempotent=True)
    def put_metadata(
        self, ctx: RequestContext, instance: InstanceId, items: dict[str, str], replace: bool
    ) -> dict[str, str]:
        """Add or overwrite metadata items (``replace``: drop all others); return them all."""

    @call(since="1.0", timeout=60, idempotent=True)
    def delete_metadata(self, ctx: RequestContext, instance: InstanceId, key: str) -> None:
        """Drop one metadata item; NotFound if it is not there."""

    @call(since="1.0", timeout=60, idempotent=True)
    def set_tags(self, ctx: RequestContext, instance: InstanceId, tags: list[str]) -> list[str]:
        """Make the tags exactly these; return them."""

    @call(since="1.0", timeout=60, idempotent=True)
    def add_tag(self, ctx: RequestContext, instance: InstanceId, tag: str) -> bool:
        """Add a tag; True if it is new."""

    @call(since="1.0", timeout=60, idempotent=True)
    def delete_tag(self, ctx: RequestContext, instance: InstanceId, tag: str) -> None:
        """Drop a tag; NotFound if it is not there."""

    @call(since="1.0", timeout=60, idempotent=True)
    def list_actions(
        self, ctx: RequestContext, instance: InstanceId, query: ActionQuery
    ) -> list[WorkflowRecord]:
        """List the actions of an instance, also of a deleted one, newest first, without steps."""

    @call(since="1.0", timeout=60, idempotent=True)
    def show_action(self, ctx: RequestContext, instance: InstanceId, request_id: str) -> WorkflowRecord:
        """Look up one action with its steps and explanation."""
