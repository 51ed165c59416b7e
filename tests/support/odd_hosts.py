"""A filter of a third party that judges one host at a time."""

from __future__ import annotations

from nova.objects.host import HostView
from nova.objects.placement import PlacementRequest
from nova.scheduler.filters.base import HostFilter


class OddHosts(HostFilter):
    """Passes hosts whose names end with an odd digit."""

    def host_passes(self, host: HostView, request: PlacementRequest) -> bool:
        return int(host.host[-1]) % 2 == 1
