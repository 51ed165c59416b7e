"""Hosts that are busy with builds and snapshots."""

from __future__ import annotations

from nova.scheduler.filters.counted import CountFilter


class IoOpsFilter(CountFilter):
    """Passes hosts with fewer such operations under way than ``max_io_ops_per_host``."""

    column = "io_ops"
    label = "builds and the like under way"
    option = "max_io_ops_per_host"


class AggregateIoOpsFilter(IoOpsFilter):
    """The same with the limit in the aggregates' metadata."""

    from_aggregates = True
