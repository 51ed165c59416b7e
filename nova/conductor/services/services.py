"""Daemons: who lives, who is disabled; and what they say of themselves."""

from __future__ import annotations

import datetime
import functools
import logging
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import msgspec

from nova.conductor.services.once import once
from nova.context import RequestContext
from nova.db import aggregates, host_feed, hosts, instances, services
from nova.db.engine import Tx, again
from nova.errors import Unavailable
from nova.errors.admin import ServiceInUse, ServiceNotFound
from nova.objects.host import HostInventory, HostSnapshot, Service, ServiceBeat
from nova.objects.ids import HostName, ServiceId

if TYPE_CHECKING:
    from nova.conductor.world import World

_LOG = logging.getLogger(__name__)
_FAR = 1 << 62
COMPUTE = "nova-compute"


def is_up(world: World, service: Service) -> bool:
    """Tell whether a service lives.

    Judged by its counter as this conductor saw it grow; one that it has not watched yet (it started a moment
    ago) is judged by the time of its last beat.
    """
    return not service.forced_down and _lives(world, service.binary, service.host, service.seen_at)


def _lives(world: World, binary: str, host: HostName, seen: datetime.datetime | None) -> bool:
    pulse = world.liveness.services
    recent = seen is not None and world.clock.age_s(seen) <= pulse.bound_s
    return pulse.is_alive((host, binary), unknown=recent)


def hosts_up(
    world: World, tx: Tx, wanted: Collection[HostName], binary: str = COMPUTE
) -> frozenset[HostName]:
    """Return those of these hosts whose service lives; SQL is asked only about hosts not watched yet."""
    pulse = world.liveness.services
    up = {host for host in wanted if pulse.is_alive((host, binary))}
    fresh = sorted({host for host in wanted if not pulse.knows((host, binary))})
    found = services.of_hosts(tx, fresh) if fresh else []
    return frozenset(up | {s.host for s in found if s.binary == binary and is_up(world, s)})


def zones_of_hosts(tx: Tx) -> dict[HostName, str]:
    """Return the zones of the hosts that are in one."""
    return {host: g.zone for g in aggregates.all_aggregates(tx) if g.zone is not None for host in g.hosts}


def judged(world: World, found: Sequence[Service], zones: dict[HostName, str]) -> list[Service]:
    """Fill in what is not stored: whether each service is up, and its zone."""
    settings = world.settings
    return [
        msgspec.structs.replace(
            service,
            is_up=is_up(world, service),
            zone=zones.get(service.host, settings.default_zone)
            if service.binary == COMPUTE
            else settings.internal_zone,
        )
        for service in found
    ]


def list_services(world: World, host: str | None, binary: str | None) -> list[Service]:
    """Return the services (of a host, of a binary), by number."""

    def work(tx: Tx) -> list[Service]:
        found = services.all_services(tx, binary) if host is None else services.of_hosts(tx, [HostName(host)])
        kept = [service for service in found if binary is None or service.binary == binary]
        return judged(world, kept, zones_of_hosts(tx))

    return world.db.read(work)


def _find(tx: Tx, service_id: ServiceId) -> Service:
    """Return a service by uuid or by number; raises ``ServiceNotFound``."""
    found = (
        services.by_number(tx, int(service_id))
        if service_id.isascii() and service_id.isdigit() and len(service_id) < 10
        else services.get(tx, service_id)
    )
    if found is None:
        raise ServiceNotFound(id=service_id)
    return found


def update(
    world: World,
    ctx: RequestContext,
    service_id: ServiceId,
    disabled: bool | None,
    reason: str | None,
    forced_down: bool | None,
) -> Service:
    """Enable, disable or force down a service; enabling drops the reason. Raises ``ServiceNotFound``."""

    def work(tx: Tx) -> Service:
        service = _find(tx, service_id)
        if disabled is not None:
            service = msgspec.structs.replace(
                service, disabled=disabled, disabled_reason=reason if disabled else None
            )
        if forced_down is not None:
            service = msgspec.structs.replace(service, forced_down=forced_down)
        if not services.update(tx, service):
            raise ServiceNotFound(id=service_id)
        if service.binary == COMPUTE:
            hosts.touch(tx, [service.host])
        service = msgspec.structs.replace(service, updated_at=tx.now)
        return judged(world, [service], zones_of_hosts(tx))[0]

    changed = once(world, ctx, work, Service)
    if changed.binary == COMPUTE:
        tell_schedulers(world)
    return changed


def delete(world: World, ctx: RequestContext, service_id: ServiceId) -> None:
    """Forget a service, and a compute host with it; raises ``ServiceNotFound`` and ``ServiceInUse``."""

    def work(tx: Tx) -> bool:
        service = _find(tx, service_id)
        if service.binary == COMPUTE:
            count = instances.count_on(tx, [service.host]).get(service.host, 0)
            if count:
                raise ServiceInUse(host=service.host, count=count)
            hosts.remove(tx, service.host)
            _leave_aggregates(tx, service.host)
        if not services.delete(tx, service.id):
            raise ServiceNotFound(id=service_id)
        return True

    once(world, ctx, work, bool)
    tell_schedulers(world)


def _leave_aggregates(tx: Tx, host: HostName) -> None:
    for group in aggregates.all_aggregates(tx):
        if host in group.hosts:
            left = tuple(name for name in group.hosts if name != host)
            aggregates.edit(tx, group.id, lambda g, left=left: msgspec.structs.replace(g, hosts=left))  # type: ignore[misc]
            host_feed.aggregates_changed(tx)


def tell_schedulers(world: World) -> None:
    """Have schedulers look at once what changed; belongs after the commit.

    A position far ahead is a gap, which makes them ask.  One that cannot be told asks by itself before long.
    """
    try:
        world.scheduler.all.hosts_changed(world.context(), HostSnapshot(position=_FAR, whole=False))
    except Unavailable as error:
        _LOG.warning("No scheduler was told of changed hosts: %s", error)


def heartbeat(world: World, beats: Sequence[ServiceBeat]) -> None:
    """Count beats; hosts whose daemon is new are shown to schedulers anew, and believed to be up at once."""

    def work(tx: Tx) -> set[HostName]:
        new = set(services.beat(tx, beats))
        if new:
            hosts.touch(tx, sorted(new))
        return new

    new = world.db.run(work, settled=again)
    if new:
        first = (((one.host, one.binary), 1) for one in beats if one.host in new)
        world.liveness.services.observe(first, whole=False)


def take_inventory(world: World, inventories: Sequence[HostInventory]) -> None:
    """Keep what hypervisors have. Idempotent; a report that says nothing new writes nothing."""
    world.db.run(lambda tx: hosts.report(tx, inventories), settled=again)


def host_views(world: World, since: int | None) -> HostSnapshot:
    """Return the scheduler's view of the hosts: whole, or what changed after a position."""

    lives = functools.partial(_lives, world, COMPUTE)
    return host_feed.host_views(world.db, since or 0, default_zone=world.settings.default_zone, lives=lives)
