"""Server groups of projects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nova import ids
from nova.conductor.services import pages
from nova.conductor.services.once import once
from nova.conductor.services.quotas import limits_with_user
from nova.context import RequestContext
from nova.db import quotas, server_groups
from nova.db.engine import Tx
from nova.errors.admin import OutOfQuota
from nova.errors.servers import ServerGroupNotFound
from nova.objects.ids import GroupId, ProjectId, UserId
from nova.objects.page import Page
from nova.objects.server_group import ServerGroup

if TYPE_CHECKING:
    from nova.conductor.world import World

_ONE = {"server_groups": 1}


def list_groups(world: World, ctx: RequestContext, page: Page, all_projects: bool) -> list[ServerGroup]:
    """Return a page of the project's groups (all projects': administrators only), oldest first."""
    project = None if all_projects and ctx.is_admin else ProjectId(ctx.project_id)
    found = world.db.read(lambda tx: server_groups.list_groups(tx, project))
    return pages.after(found, page, lambda group, marker: group.id == marker)


def show(world: World, ctx: RequestContext, group_id: GroupId) -> ServerGroup:
    """Return a group of the caller's project; raises ``ServerGroupNotFound``."""
    return world.db.read(lambda tx: own(tx, ctx, group_id))


def own(tx: Tx, ctx: RequestContext, group_id: GroupId) -> ServerGroup:
    """Return a group of the caller's project; raises ``ServerGroupNotFound``."""
    group = server_groups.get(tx, group_id)
    if group is None or not (ctx.is_admin or group.project_id == ctx.project_id):
        raise ServerGroupNotFound(id=group_id)
    return group


def create(
    world: World, ctx: RequestContext, name: str, policy: str, max_per_host: int | None
) -> ServerGroup:
    """Make an empty group; raises ``OutOfQuota``."""
    group = ServerGroup(
        id=GroupId(ids.new_uuid()),
        name=name,
        policy=policy,
        max_per_host=max_per_host,
        project_id=ProjectId(ctx.project_id),
        user_id=UserId(ctx.user_id),
    )

    def work(tx: Tx) -> ServerGroup:
        limits, own = limits_with_user(world, tx, ctx.project_id, ctx.user_id)
        if quotas.reserve(tx, ctx.project_id, _ONE, limits) is not True:
            raise OutOfQuota(things="server groups")
        most = own.get("server_groups", -1)
        if 0 <= most <= server_groups.count_of(tx, group.project_id, group.user_id):
            raise OutOfQuota(things="server groups")
        server_groups.insert(tx, group)
        return group

    return once(world, ctx, work, ServerGroup)


def delete(world: World, ctx: RequestContext, group_id: GroupId) -> None:
    """Remove a group, its members stay; raises ``ServerGroupNotFound``."""

    def work(tx: Tx) -> bool:
        group = own(tx, ctx, group_id)
        if not server_groups.delete(tx, group_id):
            raise ServerGroupNotFound(id=group_id)
        quotas.release(tx, group.project_id, _ONE)
        return True

    once(world, ctx, work, bool)
