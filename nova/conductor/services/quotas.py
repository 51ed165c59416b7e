"""Quotas: the limits of projects and of the default class, and what is used of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nova.db import quotas
from nova.db.engine import Tx, again
from nova.errors.admin import QuotaBelowUse, QuotaUnknown
from nova.errors.servers import QuotaExceeded
from nova.objects.ids import ProjectId, UserId
from nova.objects.quota import QuotaSet

if TYPE_CHECKING:
    from nova.conductor.world import World

DEFAULT_CLASS = "default"


def limits_of(world: World, tx: Tx, project: str, user: str | None = None) -> dict[str, int]:
    """Return the limits in force for a project (and a user in it): options, class, project, user."""
    defaults = world.settings.quotas
    return quotas.limits(tx, ProjectId(project), defaults, UserId(user) if user else None)


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
        used = quotas.used(tx, project)
        if user_id:
            used["key_pairs"] = quotas.used(tx, quotas.of_user(UserId(user_id)))["key_pairs"]
        return QuotaSet(project_id=project, limits=limits_of(world, tx, project, user_id), used=used)

    return world.db.read(work)


def defaults(world: World) -> QuotaSet:
    """Return the limits of projects that have none of their own."""
    limits = world.db.read(lambda tx: limits_of(world, tx, quotas.DEFAULT_CLASS))
    return QuotaSet(project_id=ProjectId(DEFAULT_CLASS), limits=limits)


def put(world: World, project: ProjectId, limits: dict[str, int], force: bool) -> QuotaSet:
    """Set limits of a project; raises ``QuotaBelowUse`` (without ``force``) and ``QuotaUnknown``."""
    _check_names(world, limits)

    def work(tx: Tx) -> QuotaSet:
        used = quotas.used(tx, project)
        for resource, limit in sorted(limits.items()):
            if not force and 0 <= limit < used.get(resource, 0):
                raise QuotaBelowUse(limit=limit, resource=resource, used=used[resource])
        quotas.set_limits(tx, project, limits)
        return QuotaSet(project_id=project, limits=limits_of(world, tx, project), used=used)

    return world.db.run(work, settled=again)


def reset(world: World, project: ProjectId) -> None:
    """Go back to the defaults. Idempotent."""
    world.db.run(lambda tx: quotas.clear_limits(tx, project), settled=again)


def put_class(world: World, name: str, limits: dict[str, int]) -> QuotaSet:
    """Set limits of a quota class; only ``default`` has an effect. Raises ``QuotaUnknown``."""
    _check_names(world, limits)
    scope = f"class:{name}"

    def work(tx: Tx) -> QuotaSet:
        quotas.set_limits(tx, scope, limits)
        return QuotaSet(project_id=ProjectId(name), limits=limits_of(world, tx, scope))

    return world.db.run(work, settled=again)


def _check_names(world: World, limits: dict[str, int]) -> None:
    known = {*quotas.RESOURCES, *world.settings.quotas}
    unknown = sorted(set(limits) - known)
    if unknown:
        raise QuotaUnknown(names=", ".join(unknown))
