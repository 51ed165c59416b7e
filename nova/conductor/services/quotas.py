"""Quotas: the limits of projects and of the default class, and what is used of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nova.conductor.services.once import once
from nova.context import RequestContext
from nova.db import fixed_ips, instances, quotas, server_groups
from nova.db.engine import Tx
from nova.errors.admin import QuotaAboveProject, QuotaBelowUse, QuotaOfProjectsOnly, QuotaUnknown
from nova.errors.servers import QuotaExceeded
from nova.objects.ids import ProjectId, UserId
from nova.objects.quota import QuotaSet

if TYPE_CHECKING:
    from nova.conductor.world import World

DEFAULT_CLASS = "default"


OF_PROJECTS = frozenset({"fixed_ips", "floating_ips", "networks", "security_groups", "security_group_rules"})
"""What has no limit for single users: these things belong to projects."""


def limits_of(world: World, tx: Tx, project: str) -> dict[str, int]:
    """Return the limits in force for a project: options, class, project."""
    return quotas.limits(tx, ProjectId(project), world.settings.quotas)


def limits_with_user(world: World, tx: Tx, project: str, user: str) -> tuple[dict[str, int], dict[str, int]]:
    """Return the limits in force for a project, and those that one user in it has of his own."""
    return quotas.limits_with_user(tx, ProjectId(project), world.settings.quotas, UserId(user))


def exceeded(short: quotas.Shortage) -> QuotaExceeded:
    """Return the error that tells why a reservation was refused."""

    def listed(numbers: dict[str, int]) -> str:
        return ", ".join(str(numbers[name]) for name in short.over)

    return QuotaExceeded(
        resources=", ".join(short.over),
        requested=listed(short.requested),
        used=listed(short.used),
        allowed=listed(short.limits),
    )


def show(world: World, project: ProjectId, user_id: str | None) -> QuotaSet:
    """Return the limits of a project (those of a user in it, if named) and what is used."""

    def work(tx: Tx) -> QuotaSet:
        if not user_id:
            used = _used_of(tx, project)
            return QuotaSet(project_id=project, limits=limits_of(world, tx, project), used=used)
        limits, own = limits_with_user(world, tx, project, user_id)
        used = _used_of(tx, project) | _used_by(tx, project, UserId(user_id))
        return QuotaSet(project_id=project, limits=limits | own, used=used)

    return world.db.read(work)


def _used_of(tx: Tx, project: ProjectId) -> dict[str, int]:
    """Return what a project uses: what is booked, and the addresses its servers hold."""
    return quotas.used(tx, project) | {"fixed_ips": fixed_ips.count_of(tx, project)}


def _used_by(tx: Tx, project: ProjectId, user: UserId) -> dict[str, int]:
    """Count what a user has in a project (key pairs are the user's wherever he is)."""
    used = dict(zip(quotas.COUNTED, instances.use_of(tx, project, user), strict=True))
    used["key_pairs"] = quotas.used(tx, quotas.of_user(user))["key_pairs"]
    used["server_groups"] = server_groups.count_of(tx, project, user)
    return used


def defaults(world: World) -> QuotaSet:
    """Return the limits of projects that have none of their own."""
    limits = world.db.read(lambda tx: limits_of(world, tx, quotas.DEFAULT_CLASS))
    return QuotaSet(project_id=ProjectId(DEFAULT_CLASS), limits=limits)


def show_class(world: World, name: str) -> QuotaSet:
    """Return the limits of a quota class."""
    limits = world.db.read(lambda tx: limits_of(world, tx, f"class:{name}"))
    return QuotaSet(project_id=ProjectId(name), limits=limits)


def put(
    world: World, ctx: RequestContext, project: ProjectId, limits: dict[str, int], force: bool
) -> QuotaSet:
    """Set limits of a project; raises ``QuotaBelowUse`` (without ``force``) and ``QuotaUnknown``."""
    _check_names(world, limits)

    def work(tx: Tx) -> QuotaSet:
        used = _used_of(tx, project)
        for resource, limit in sorted(limits.items()):
            if not force and 0 <= limit < used.get(resource, 0):
                raise QuotaBelowUse(limit=limit, resource=resource, used=used[resource])
        quotas.set_limits(tx, project, limits)
        return QuotaSet(project_id=project, limits=limits_of(world, tx, project), used=used)

    return once(world, ctx, work, QuotaSet)


def reset(world: World, ctx: RequestContext, project: ProjectId) -> None:
    """Go back to the defaults. Idempotent."""

    def work(tx: Tx) -> bool:
        quotas.clear_limits(tx, project)
        return True

    once(world, ctx, work, bool)


def put_user(
    world: World, ctx: RequestContext, project: ProjectId, user: UserId, limits: dict[str, int], force: bool
) -> QuotaSet:
    """Set limits of one user in a project.

    Raises ``QuotaUnknown`` and ``QuotaOfProjectsOnly``; without ``force`` ``QuotaBelowUse``, and
    ``QuotaAboveProject`` for what the project has not.
    """
    _check_names(world, limits)
    if OF_PROJECTS & limits.keys():
        raise QuotaOfProjectsOnly(names=", ".join(sorted(OF_PROJECTS & limits.keys())))

    def work(tx: Tx) -> QuotaSet:
        most, own = limits_with_user(world, tx, project, user)
        used = quotas.used(tx, project) | _used_by(tx, project, user)
        for resource, limit in sorted(limits.items()):
            top = most.get(resource, -1)
            if force:
                continue
            if 0 <= limit < used.get(resource, 0):
                raise QuotaBelowUse(limit=limit, resource=resource, used=used[resource])
            if top >= 0 and not 0 <= limit <= top:
                raise QuotaAboveProject(limit=limit, resource=resource, most=top)
        quotas.set_limits(tx, project, limits, user)
        return QuotaSet(project_id=project, limits=most | own | limits, used=used)

    return once(world, ctx, work, QuotaSet)


def reset_user(world: World, ctx: RequestContext, project: ProjectId, user: UserId) -> None:
    """Let a user have what the project has. Idempotent."""

    def work(tx: Tx) -> bool:
        quotas.clear_limits(tx, project, user)
        return True

    once(world, ctx, work, bool)


def put_class(world: World, ctx: RequestContext, name: str, limits: dict[str, int]) -> QuotaSet:
    """Set limits of a quota class; only ``default`` has an effect. Raises ``QuotaUnknown``."""
    _check_names(world, limits)
    scope = f"class:{name}"

    def work(tx: Tx) -> QuotaSet:
        quotas.set_limits(tx, scope, limits)
        return QuotaSet(project_id=ProjectId(name), limits=limits_of(world, tx, scope))

    return once(world, ctx, work, QuotaSet)


def _check_names(world: World, limits: dict[str, int]) -> None:
    known = {*quotas.RESOURCES, *world.settings.quotas}
    unknown = sorted(set(limits) - known)
    if unknown:
        raise QuotaUnknown(names=", ".join(unknown))
