"""Virtual CPUs."""

from __future__ import annotations

from nova.scheduler.filters.room import AggregateRoomFilter, RoomFilter


class CoreFilter(RoomFilter):
    """Passes hosts with CPUs left."""

    unit = "vcpus"
    label = "vCPUs"


class AggregateCoreFilter(AggregateRoomFilter):
    """CPUs left by the aggregates' ``cpu_allocation_ratio``."""

    unit = "vcpus"
    label = "vCPUs"
    key = "cpu_allocation_ratio"
