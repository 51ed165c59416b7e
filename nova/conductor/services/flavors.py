"""Flavors: made by operators, seen by those who may use them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from nova import ids
from nova.conductor.services import pages
from nova.conductor.services.once import once
from nova.context import RequestContext
from nova.db import flavors
from nova.db.engine import Tx
from nova.errors.admin import (
    FlavorAccessExists,
    FlavorAccessNotFound,
    FlavorExists,
    FlavorExtraSpecNotFound,
    FlavorIsPublic,
)
from nova.errors.database import Duplicate
from nova.errors.servers import FlavorNotFound
from nova.objects.flavor import Flavor, FlavorAccess
from nova.objects.ids import FlavorId, ProjectId
from nova.objects.page import Page

if TYPE_CHECKING:
    from nova.conductor.world import World

_SORT_KEYS: dict[str, Callable[[Flavor], Any]] = {
    "flavorid": lambda f: f.id,
    "id": lambda f: f.id,
    "name": lambda f: f.name,
    "memory_mb": lambda f: f.ram_mb,
    "vcpus": lambda f: f.vcpus,
    "root_gb": lambda f: f.root_gb,
    "ephemeral_gb": lambda f: f.ephemeral_gb,
    "swap": lambda f: f.swap_mb,
    "rxtx_factor": lambda f: f.rxtx_factor,
    "disabled": lambda f: f.disabled,
    "is_public": lambda f: f.is_public,
    "description": lambda f: f.description,
    "created_at": lambda f: f.created_at,
    "updated_at": lambda f: f.updated_at,
}


def list_flavors(
    world: World, ctx: RequestContext, page: Page, is_public: bool | None, least: tuple[int, int]
) -> list[Flavor]:
    """Return a page of the flavors the caller may see that have at least ``least`` RAM (MB) and disk (GB)."""
    project = ProjectId(ctx.project_id)

    def work(tx: Tx) -> list[Flavor]:
        if not ctx.is_admin or is_public:
            return flavors.visible_to(tx, project)
        found = flavors.all_flavors(tx)
        return found if is_public is None else [flavor for flavor in found if not flavor.is_public]

    seen = [f for f in world.db.read(work) if f.ram_mb >= least[0] and f.root_gb >= least[1]]
    return pages.after(pages.ordered(seen, page, _SORT_KEYS, "flavorid"), page, lambda f, id_: f.id == id_)


def show(world: World, ctx: RequestContext, flavor_id: FlavorId) -> Flavor:
    """Return a flavor that the caller may see; raises ``FlavorNotFound``."""
    return world.db.read(lambda tx: visible(tx, ctx, flavor_id))


def visible(tx: Tx, ctx: RequestContext, flavor_id: FlavorId) -> Flavor:
    """Return a flavor that the caller may see; raises ``FlavorNotFound``."""
    flavor = flavors.get(tx, flavor_id)
    if flavor is None or not (
        flavor.is_public or ctx.is_admin or flavors.granted(tx, [flavor_id], ProjectId(ctx.project_id))
    ):
        raise FlavorNotFound(id=flavor_id)
    return flavor


def create(world: World, ctx: RequestContext, flavor: Flavor) -> Flavor:
    """Store a new flavor (without an id it gets a uuid); raises ``FlavorExists``."""
    flavor_id = flavor.id or FlavorId(ids.new_uuid())
    wanted = msgspec.structs.replace(flavor, id=flavor_id, created_at=world.clock.now(), updated_at=None)

    def work(tx: Tx) -> Flavor:
        if flavors.get(tx, flavor_id) is not None:
            raise FlavorExists(field="ID", value=flavor_id)
        flavors.insert(tx, wanted)
        return wanted

    try:
        return once(world, ctx, work, Flavor)
    except Duplicate:
        raise FlavorExists(field="name", value=wanted.name) from None


def update(world: World, ctx: RequestContext, flavor_id: FlavorId, description: str | None) -> Flavor:
    """Change the description; raises ``FlavorNotFound``."""
    return _edit(world, ctx, flavor_id, lambda f: msgspec.structs.replace(f, description=description))


def delete(world: World, ctx: RequestContext, flavor_id: FlavorId) -> None:
    """Remove a flavor; raises ``FlavorNotFound``."""

    def work(tx: Tx) -> bool:
        if not flavors.delete(tx, flavor_id):
            raise FlavorNotFound(id=flavor_id)
        return True

    once(world, ctx, work, bool)


def put_extra_specs(
    world: World, ctx: RequestContext, flavor_id: FlavorId, specs: dict[str, str]
) -> dict[str, str]:
    """Add or overwrite extra specs and return them all; raises ``FlavorNotFound``."""

    def change(flavor: Flavor) -> Flavor:
        return msgspec.structs.replace(flavor, extra_specs={**flavor.extra_specs, **specs})

    return _edit(world, ctx, flavor_id, change).extra_specs


def delete_extra_spec(world: World, ctx: RequestContext, flavor_id: FlavorId, key: str) -> None:
    """Remove an extra spec; raises ``FlavorNotFound`` and ``FlavorExtraSpecNotFound``."""

    def change(flavor: Flavor) -> Flavor:
        if key not in flavor.extra_specs:
            raise FlavorExtraSpecNotFound(id=flavor_id, key=key)
        left = {name: value for name, value in flavor.extra_specs.items() if name != key}
        return msgspec.structs.replace(flavor, extra_specs=left)

    _edit(world, ctx, flavor_id, change)


def _edit(
    world: World, ctx: RequestContext, flavor_id: FlavorId, change: Callable[[Flavor], Flavor]
) -> Flavor:
    def work(tx: Tx) -> Flavor:
        changed = flavors.edit(tx, flavor_id, change)
        if changed is None:
            raise FlavorNotFound(id=flavor_id)
        return changed

    return once(world, ctx, work, Flavor)


def list_access(world: World, flavor_id: FlavorId) -> list[FlavorAccess]:
    """Return who may use a private flavor; raises ``FlavorNotFound`` and ``FlavorIsPublic``."""

    def work(tx: Tx) -> list[FlavorAccess]:
        flavor = flavors.get(tx, flavor_id)
        if flavor is None:
            raise FlavorNotFound(id=flavor_id)
        if flavor.is_public:
            raise FlavorIsPublic()
        return [FlavorAccess(flavor_id=flavor_id, project_id=p) for p in flavors.access(tx, flavor_id)]

    return world.db.read(work)


def add_access(world: World, ctx: RequestContext, flavor_id: FlavorId, project: ProjectId) -> None:
    """Let a project use a flavor; raises ``FlavorNotFound`` and ``FlavorAccessExists``."""

    def work(tx: Tx) -> bool:
        if flavors.get(tx, flavor_id) is None:
            raise FlavorNotFound(id=flavor_id)
        flavors.grant(tx, flavor_id, project)
        return True

    try:
        once(world, ctx, work, bool)
    except Duplicate:
        raise FlavorAccessExists(id=flavor_id, project=project) from None


def remove_access(world: World, ctx: RequestContext, flavor_id: FlavorId, project: ProjectId) -> None:
    """Take a flavor away from a project; raises ``FlavorNotFound`` and ``FlavorAccessNotFound``."""

    def work(tx: Tx) -> bool:
        if flavors.get(tx, flavor_id) is None:
            raise FlavorNotFound(id=flavor_id)
        if not flavors.revoke(tx, flavor_id, project):
            raise FlavorAccessNotFound(id=flavor_id, project=project)
        return True

    once(world, ctx, work, bool)
