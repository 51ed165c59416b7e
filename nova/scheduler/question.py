"""A placement request on a table: what filters and weighers are asked about."""

from __future__ import annotations

import numpy as np

from nova.objects.ids import HostName
from nova.objects.placement import PlacementRequest
from nova.scheduler.columns import Ints
from nova.scheduler.host_table import HostTable, Load

AFFINITY = "affinity"
ANTI_AFFINITY = "anti-affinity"
SOFT_AFFINITY = "soft-affinity"
SOFT_ANTI_AFFINITY = "soft-anti-affinity"


class Question:
    """One request as filters and weighers see it.

    Only ``members`` changes, while the request is being answered.  Filters may read anything of the request
    but its ``id`` and ``instances``: requests that differ in nothing else share their answers.
    """

    def __init__(self, table: HostTable, request: PlacementRequest) -> None:
        self.table = table
        self.request = request
        self.load = load_of(request)
        self.members: Ints | None = None
        """Members of the request's group on each row's host; none when it has no group."""
        if request.group is not None:
            self.members = np.zeros(len(table), np.int64)
            for host, count in request.group.hosts.items():
                self.add_members(host, count)

    def add_members(self, host: HostName, count: int) -> list[int]:
        """Count group members of a host; return the rows that changed."""
        rows = self.table.rows_of(host)
        if self.members is not None:
            self.members[rows] += count
        return rows

    def policy(self) -> str | None:
        return self.request.group.policy if self.request.group else None

    def scoped_specs(self, scope: str, *, bare: bool) -> dict[str, str]:
        """Return the flavor's extra specs of a scope without it, with ``bare`` also those without any."""
        found = {}
        for key, value in self.request.flavor.extra_specs.items():
            head, colon, rest = key.partition(":")
            if not colon and bare:
                found[key] = value
            elif colon and head == scope:
                found[rest] = value
        return found

    def image_properties(self) -> dict[str, str]:
        return self.request.image.properties if self.request.image else {}


def load_of(request: PlacementRequest) -> Load:
    """Return what each instance of a request takes of its host."""
    flavor = request.flavor
    disk_gb = flavor.disk_gb if request.disk_gb is None else request.disk_gb
    return Load(flavor.vcpus, flavor.ram_mb, disk_gb)
