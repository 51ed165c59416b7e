"""Hosts that hold many instances."""

from __future__ import annotations

from nova.scheduler.filters.counted import CountFilter


class NumInstancesFilter(CountFilter):
    """Passes hosts with fewer instances than ``max_instances_per_host``."""

    column = "instances"
    label = "instances"
    option = "max_instances_per_host"


class AggregateNumInstancesFilter(NumInstancesFilter):
    """The same with the limit in the aggregates' metadata."""

    from_aggregates = True
