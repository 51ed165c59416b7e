"""Looking at instances and changing what is no state: names, metadata, tags."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from nova.conductor.services.lookup import living
from nova.conductor.services.once import once
from nova.conductor.services.services import hosts_up
from nova.context import RequestContext
from nova.db import instance_pages, quotas
from nova.db import instances as table
from nova.db.engine import Tx
from nova.errors import BadRequest
from nova.errors.database import MarkerNotFound
from nova.errors.servers import InstanceNotFound, MetadataNotFound, QuotaExceededSimply, TagNotFound
from nova.lifecycle import admission
from nova.lifecycle.actions import ACTIONS, Action
from nova.objects.ids import InstanceId, ProjectId
from nova.objects.instance import Instance, InstanceChanges, InstancePage, InstanceQuery

if TYPE_CHECKING:
    from nova.conductor.world import World

R = TypeVar("R")
MOST_TAGS = 50


def show(world: World, ctx: RequestContext, instance_id: InstanceId) -> Instance:
    """Return a living instance with the status of its host."""
    return world.db.read(lambda tx: _judged(world, tx, [living(tx, ctx, instance_id)])[0])


def _judged(world: World, tx: Tx, found: Sequence[Instance]) -> list[Instance]:
    """Fill in the API's word for how the host of each instance is."""
    up = hosts_up(world, tx, {instance.host for instance in found if instance.host is not None})
    return [
        msgspec.structs.replace(i, host_status="UP" if i.host in up else "DOWN") if i.host is not None else i
        for i in found
    ]


def page(world: World, ctx: RequestContext, query: InstanceQuery) -> InstancePage:
    """Return a page of instances."""
    project = ProjectId(ctx.project_id)

    def work(tx: Tx) -> InstancePage:
        found = instance_pages.list_page(tx, query, project)
        if not query.detail:
            return found
        return InstancePage(instances=tuple(_judged(world, tx, found.instances)), more=found.more)

    try:
        return world.db.read(work)
    except MarkerNotFound:
        raise BadRequest(reason=f"marker [{query.marker}] not found") from None


def _edit(
    world: World,
    ctx: RequestContext,
    instance_id: InstanceId,
    action: Action | None,
    change: Callable[[Instance], Instance],
    told: Callable[[Instance], R],
) -> R:
    """Change an instance; ``told`` says what of it is answered (plain JSON), to copies, too."""

    def work(tx: Tx) -> R:
        before = living(tx, ctx, instance_id)
        if action is not None:
            admission.check(action, before, is_admin=ctx.is_admin)
        after = table.edit(tx, instance_id, change)
        if after is None:
            raise InstanceNotFound(id=instance_id)
        return told(after)

    return once(world, ctx, work, Any)


def update(world: World, ctx: RequestContext, instance_id: InstanceId, changes: InstanceChanges) -> Instance:
    """Change names and addresses for access."""

    def change(before: Instance) -> Instance:
        given = {
            name: value
            for name in (
                "display_name",
                "description",
                "hostname",
                "access_ip_v4",
                "access_ip_v6",
                "auto_disk_config",
            )
            if (value := getattr(changes, name)) is not None
        }
        for name in ("access_ip_v4", "access_ip_v6"):
            if given.get(name) == "":
                given[name] = None
        if changes.clear_description:
            given["description"] = None
        return msgspec.structs.replace(before, **given)

    _edit(world, ctx, instance_id, None, change, lambda _: True)
    return show(world, ctx, instance_id)


def put_metadata(
    world: World, ctx: RequestContext, instance_id: InstanceId, items: dict[str, str], *, replace: bool
) -> dict[str, str]:
    """Add or overwrite items, or replace them all; counted against the quota."""
    limits = world.db.read(lambda tx: quotas.limits(tx, ProjectId(ctx.project_id), world.settings.quotas))
    most = limits.get("metadata_items", -1)

    def change(before: Instance) -> Instance:
        after = dict(items) if replace else before.metadata | items
        if 0 <= most < len(after):
            raise QuotaExceededSimply(reason=f"Maximum number of metadata items exceeds {most}")
        return msgspec.structs.replace(before, metadata=after)

    return _edit(world, ctx, instance_id, ACTIONS["metadata"], change, lambda after: after.metadata)


def delete_metadata(world: World, ctx: RequestContext, instance_id: InstanceId, key: str) -> None:
    """Drop one item."""

    def change(before: Instance) -> Instance:
        if key not in before.metadata:
            raise MetadataNotFound()
        rest = {k: v for k, v in before.metadata.items() if k != key}
        return msgspec.structs.replace(before, metadata=rest)

    _edit(world, ctx, instance_id, ACTIONS["metadata"], change, lambda _: True)


def set_tags(world: World, ctx: RequestContext, instance_id: InstanceId, tags: list[str]) -> list[str]:
    """Make the tags exactly these."""
    wanted = tuple(dict.fromkeys(tags))
    if len(wanted) > MOST_TAGS:
        raise BadRequest(reason=f"The number of tags exceeded the per-server limit {MOST_TAGS}")

    def change(before: Instance) -> Instance:
        return msgspec.structs.replace(before, tags=wanted)

    return _edit(world, ctx, instance_id, ACTIONS["tags"], change, lambda after: list(after.tags))


def add_tag(world: World, ctx: RequestContext, instance_id: InstanceId, tag: str) -> bool:
    """Add one tag; True if it is new."""
    new = False

    def change(before: Instance) -> Instance:
        nonlocal new
        new = tag not in before.tags
        if not new:
            return before
        if len(before.tags) >= MOST_TAGS:
            raise BadRequest(reason=f"The number of tags exceeded the per-server limit {MOST_TAGS}")
        return msgspec.structs.replace(before, tags=(*before.tags, tag))

    return _edit(world, ctx, instance_id, ACTIONS["tags"], change, lambda _: new)


def delete_tag(world: World, ctx: RequestContext, instance_id: InstanceId, tag: str) -> None:
    """Drop one tag."""

    def change(before: Instance) -> Instance:
        if tag not in before.tags:
            raise TagNotFound(id=instance_id, tag=tag)
        return msgspec.structs.replace(before, tags=tuple(t for t in before.tags if t != tag))

    _edit(world, ctx, instance_id, ACTIONS["tags"], change, lambda _: True)
