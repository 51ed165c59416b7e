"""Memory."""

from __future__ import annotations

from nova.scheduler.filters.room import AggregateRoomFilter, RoomFilter


class RamFilter(RoomFilter):
    """Passes hosts with memory left."""

    unit = "ram_mb"
    label = "MB of RAM"


class AggregateRamFilter(AggregateRoomFilter):
    """Memory left by the aggregates' ``ram_allocation_ratio``."""

    unit = "ram_mb"
    label = "MB of RAM"
    key = "ram_allocation_ratio"
