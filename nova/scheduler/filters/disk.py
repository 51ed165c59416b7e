"""Local disk."""

from __future__ import annotations

from nova.scheduler.filters.room import AggregateRoomFilter, RoomFilter


class DiskFilter(RoomFilter):
    """Passes hosts with disk left."""

    unit = "disk_gb"
    label = "GB of disk"


class AggregateDiskFilter(AggregateRoomFilter):
    """Disk left by the aggregates' ``disk_allocation_ratio``."""

    unit = "disk_gb"
    label = "GB of disk"
    key = "disk_allocation_ratio"
