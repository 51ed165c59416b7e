"""Availability zones, as they follow from services and aggregates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nova.conductor.services.services import judged, zones_of_hosts
from nova.db import services
from nova.db.engine import Tx
from nova.objects.host import Service, Zone

if TYPE_CHECKING:
    from nova.conductor.world import World


def list_zones(world: World, detail: bool) -> list[Zone]:
    """Return the zones by name, available ones first; the internal one and services only with ``detail``.

    A zone is available while one of its services is enabled.
    """

    def work(tx: Tx) -> list[Service]:
        return judged(world, services.all_services(tx), zones_of_hosts(tx))

    by_zone: dict[str, list[Service]] = {}
    for service in world.db.read(work):
        by_zone.setdefault(service.zone, []).append(service)
    if not detail:
        by_zone.pop(world.settings.internal_zone, None)
    zones = [
        Zone(
            name=name,
            available=any(not service.disabled for service in found),
            services=tuple(found) if detail else (),
        )
        for name, found in by_zone.items()
    ]
    return sorted(zones, key=lambda zone: (not zone.available, zone.name))
