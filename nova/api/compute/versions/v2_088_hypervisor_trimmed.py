"""2.88: hypervisors no longer show inventory, but show their uptime."""

from __future__ import annotations

from nova.api.compute.versions.base import Change
from nova.api.compute.versions.places import HYPERVISORS, at

CHANGE = Change(
    version="2.88",
    summary="Hypervisors no longer show inventory, but show their uptime.",
    ends_operations=(
        "hypervisors.statistics",
        "hypervisors.uptime",
    ),
    adds_response=at(HYPERVISORS, "uptime"),
    drops_response=at(
        HYPERVISORS,
        "cpu_info",
        "current_workload",
        "disk_available_least",
        "free_disk_gb",
        "free_ram_mb",
        "local_gb",
        "local_gb_used",
        "memory_mb",
        "memory_mb_used",
        "running_vms",
        "vcpus",
        "vcpus_used",
    ),
)
