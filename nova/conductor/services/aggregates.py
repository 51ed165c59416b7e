"""Aggregates of hosts; every change is shown to schedulers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import msgspec

from nova import ids
from nova.conductor.services.once import once
from nova.conductor.services.services import COMPUTE, tell_schedulers
from nova.context import RequestContext
from nova.db import aggregates, host_feed, hosts, instances, services
from nova.db.engine import Tx
from nova.errors.admin import (
    AggregateExists,
    AggregateHostExists,
    AggregateHostNotFound,
    AggregateHostRefused,
    AggregateNotFound,
    AggregateRefused,
    ComputeHostNotFound,
)
from nova.errors.database import Duplicate
from nova.objects.host import Aggregate
from nova.objects.ids import AggregateId, HostName

if TYPE_CHECKING:
    from nova.conductor.world import World

ZONE = "availability_zone"
_IN_ZONES = "One or more hosts already in availability zone(s) {}"


def list_aggregates(world: World) -> list[Aggregate]:
    """Return every aggregate, by number."""
    return world.db.read(aggregates.all_aggregates)


def show(world: World, aggregate: AggregateId) -> Aggregate:
    """Return an aggregate; raises ``AggregateNotFound``."""
    return world.db.read(lambda tx: _get(tx, aggregate))


def _get(tx: Tx, aggregate: AggregateId) -> Aggregate:
    found = aggregates.get(tx, aggregate)
    if found is None:
        raise AggregateNotFound(id=aggregate)
    return found


def create(world: World, ctx: RequestContext, name: str, zone: str | None) -> Aggregate:
    """Make an aggregate without hosts; raises ``AggregateExists``."""
    wanted = Aggregate(
        id=AggregateId(0),
        uuid=ids.new_uuid(),
        name=name,
        metadata={ZONE: zone} if zone else {},
        created_at=world.clock.now(),
    )

    def work(tx: Tx) -> Aggregate:
        made = aggregates.insert(tx, wanted)
        host_feed.aggregates_changed(tx)
        return made

    try:
        made = once(world, ctx, work, Aggregate)
    except Duplicate:
        raise AggregateExists(name=name) from None
    tell_schedulers(world)
    return made


def _edit(
    world: World,
    ctx: RequestContext,
    aggregate: AggregateId,
    change: Callable[[Tx, Aggregate], Aggregate],
    name: str = "",
) -> Aggregate:
    """Change an aggregate and tell the feed of all hosts that are or were in it."""

    def work(tx: Tx) -> Aggregate:
        before = _get(tx, aggregate)
        after = aggregates.edit(tx, aggregate, lambda found: change(tx, found))
        if after is None:
            raise AggregateNotFound(id=aggregate)
        hosts.touch(tx, sorted({*before.hosts, *after.hosts}))
        host_feed.aggregates_changed(tx)
        return after

    try:
        changed = once(world, ctx, work, Aggregate)
    except Duplicate:
        raise AggregateExists(name=name) from None
    tell_schedulers(world)
    return changed


def update(
    world: World, ctx: RequestContext, aggregate: AggregateId, name: str | None, zone: str | None
) -> Aggregate:
    """Rename an aggregate, or make it a zone of that name (none: as it is).

    Raises ``AggregateNotFound``, ``AggregateExists`` and ``AggregateRefused``.
    """

    def change(tx: Tx, found: Aggregate) -> Aggregate:
        metadata = {**found.metadata, ZONE: zone} if zone else found.metadata
        _check_zone(tx, found, metadata.get(ZONE), "update")
        return msgspec.structs.replace(found, name=name or found.name, metadata=metadata)

    return _edit(world, ctx, aggregate, change, name or "")


def put_metadata(
    world: World, ctx: RequestContext, aggregate: AggregateId, items: dict[str, str | None]
) -> Aggregate:
    """Set metadata items; none drops one. Raises ``AggregateNotFound`` and ``AggregateRefused``."""

    def change(tx: Tx, found: Aggregate) -> Aggregate:
        merged = {**found.metadata, **items}
        metadata = {key: value for key, value in merged.items() if value is not None}
        _check_zone(tx, found, metadata.get(ZONE), "update metadata of")
        return msgspec.structs.replace(found, metadata=metadata)

    return _edit(world, ctx, aggregate, change)


def _check_zone(tx: Tx, found: Aggregate, zone: str | None, action: str) -> None:
    """Refuse to put hosts into two zones, or to move hosts with servers into another zone."""
    if zone == found.zone or not found.hosts:
        return
    if zone is not None:
        others = _other_zones(tx, found.id, zone, found.hosts)
        if others:
            raise AggregateRefused(action=action, id=found.id, reason=_IN_ZONES.format(others))
    if any(instances.count_on(tx, list(found.hosts)).values()):
        reason = "One or more hosts contain instances in this zone"
        raise AggregateRefused(action=action, id=found.id, reason=reason)


def _other_zones(tx: Tx, aggregate: AggregateId, zone: str, names: Iterable[HostName]) -> list[str]:
    """Return the zones, other than this one, that some of the hosts are in."""
    wanted = set(names)
    return sorted(
        {
            g.zone
            for g in aggregates.all_aggregates(tx)
            if g.id != aggregate and g.zone is not None and g.zone != zone and wanted.intersection(g.hosts)
        }
    )


def delete(world: World, ctx: RequestContext, aggregate: AggregateId) -> None:
    """Remove an aggregate without hosts; raises ``AggregateNotFound`` and ``AggregateRefused``."""

    def work(tx: Tx) -> bool:
        if _get(tx, aggregate).hosts:
            raise AggregateRefused(action="delete", id=aggregate, reason="Host aggregate is not empty")
        host_feed.aggregates_changed(tx)
        if not aggregates.delete(tx, aggregate):
            raise AggregateNotFound(id=aggregate)
        return True

    once(world, ctx, work, bool)
    tell_schedulers(world)


def add_host(world: World, ctx: RequestContext, aggregate: AggregateId, host: str) -> Aggregate:
    """Put a host in; raises ``AggregateNotFound``, ``ComputeHostNotFound``, ``...Exists``, ``...Refused``."""
    name = HostName(host)

    def change(tx: Tx, found: Aggregate) -> Aggregate:
        if services.find(tx, name, COMPUTE) is None:
            raise ComputeHostNotFound(host=host)
        if name in found.hosts:
            raise AggregateHostExists(id=aggregate, host=host)
        others = _other_zones(tx, aggregate, found.zone, [name]) if found.zone is not None else []
        if others:
            raise AggregateHostRefused(
                action=f"add host {host} to", id=aggregate, reason=_IN_ZONES.format(others)
            )
        return msgspec.structs.replace(found, hosts=(*found.hosts, name))

    return _edit(world, ctx, aggregate, change)


def remove_host(world: World, ctx: RequestContext, aggregate: AggregateId, host: str) -> Aggregate:
    """Take a host out; raises ``AggregateNotFound`` and ``AggregateHostNotFound``."""

    def change(_: Tx, found: Aggregate) -> Aggregate:
        if host not in found.hosts:
            raise AggregateHostNotFound(id=aggregate, host=host)
        return msgspec.structs.replace(found, hosts=tuple(h for h in found.hosts if h != host))

    return _edit(world, ctx, aggregate, change)
