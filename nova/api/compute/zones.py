"""``/os-availability-zone``: where servers can be put."""

from __future__ import annotations

from typing import Any

from nova.api.compute.moments import micros
from nova.api.wsgi.operation import Operation, Rule
from nova.api.wsgi.request import Request
from nova.api.wsgi.schema_parts import NO_QUERY
from nova.objects.host import Zone
from nova.policy import ADMIN, ANYONE

Json = dict[str, Any]

LIST = Rule("os_compute_api:os-availability-zone:list", ANYONE, "List availability zones.")
DETAIL = Rule(
    "os_compute_api:os-availability-zone:detail", ADMIN, "List availability zones with their hosts."
)


def index(req: Request) -> list[Zone]:
    """List availability zones."""
    return req.conductor.list_zones(req.ctx, False)


def detail(req: Request) -> list[Zone]:
    """List availability zones with hosts and services."""
    return req.conductor.list_zones(req.ctx, True)


def _entry(zone: Zone, hosts: Json | None) -> Json:
    return {"zoneName": zone.name, "zoneState": {"available": zone.available}, "hosts": hosts}


def _hosts(zone: Zone) -> Json:
    hosts: Json = {}
    for service in zone.services:
        hosts.setdefault(service.host, {})[service.binary] = {
            "available": service.is_up,
            "active": not service.disabled,
            "updated_at": micros(service.seen_at),
        }
    return hosts


def names(_: Request, zones: list[Zone]) -> Json:
    """Render zones without their hosts."""
    return {"availabilityZoneInfo": [_entry(zone, None) for zone in zones]}


def with_hosts(_: Request, zones: list[Zone]) -> Json:
    """Render zones with their hosts; of those without a working one only the name."""
    return {
        "availabilityZoneInfo": [_entry(zone, _hosts(zone) if zone.available else None) for zone in zones]
    }


OPERATIONS = (
    Operation(
        name="availability_zone.index",
        method="GET",
        path="/os-availability-zone",
        handler=index,
        view=names,
        policy=LIST,
        query=NO_QUERY,
    ),
    Operation(
        name="availability_zone.detail",
        method="GET",
        path="/os-availability-zone/detail",
        handler=detail,
        view=with_hosts,
        policy=DETAIL,
        query=NO_QUERY,
    ),
)
