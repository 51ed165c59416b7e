"""Facts of hosts by the names of extra specs (``capabilities:free_ram_mb``) and queries (``$free_ram_mb``).

A fact is a column of numbers or texts, or is shared by many hosts and may have parts (``cpu_info:arch``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from nova.scheduler.columns import Shared
from nova.scheduler.host_table import HostTable

_COLUMNS: dict[str, Callable[[HostTable], Any]] = {
    "vcpus": lambda t: t.vcpus,
    "vcpus_total": lambda t: t.vcpus,
    "vcpus_used": lambda t: t.used_vcpus,
    "memory_mb": lambda t: t.ram_mb,
    "total_usable_ram_mb": lambda t: t.ram_mb,
    "memory_mb_used": lambda t: t.used_ram_mb + t.reserved_ram_mb,
    "free_ram_mb": lambda t: t.ram_mb - t.reserved_ram_mb - t.used_ram_mb,
    "local_gb": lambda t: t.disk_gb,
    "total_usable_disk_gb": lambda t: t.disk_gb,
    "local_gb_used": lambda t: t.used_disk_gb + t.reserved_disk_gb,
    "disk_mb_used": lambda t: (t.used_disk_gb + t.reserved_disk_gb) * 1024,
    "free_disk_gb": lambda t: t.disk_gb - t.reserved_disk_gb - t.used_disk_gb,
    "free_disk_mb": lambda t: (t.disk_gb - t.reserved_disk_gb - t.used_disk_gb) * 1024,
    "disk_available_least": lambda t: t.disk_available_gb,
    "cpu_allocation_ratio": lambda t: t.cpu_ratio,
    "ram_allocation_ratio": lambda t: t.ram_ratio,
    "disk_allocation_ratio": lambda t: t.disk_ratio,
    "num_instances": lambda t: t.instances,
    "running_vms": lambda t: t.running,
    "num_io_ops": lambda t: t.io_ops,
    "current_workload": lambda t: t.io_ops,
    "failed_builds": lambda t: t.failed_builds,
    "hypervisor_version": lambda t: t.hypervisor_version,
    "host": lambda t: np.array(t.hosts, dtype=object),
    "nodename": lambda t: np.array(t.nodes, dtype=object),
    "hypervisor_hostname": lambda t: np.array(t.nodes, dtype=object),
    "host_ip": lambda t: np.array(t.addresses, dtype=object),
}
_SHARED: dict[str, tuple[Callable[[HostTable], Any], Callable[[Any], object]]] = {
    "hypervisor_type": (lambda t: t.hypervisor_type, str),
    "availability_zone": (lambda t: t.zone, str),
    "cpu_info": (lambda t: t.cpu_info, msgspec.json.decode),
    "supported_instances": (lambda t: t.supported, lambda triples: [list(t) for t in triples]),
    "traits": (lambda t: t.traits, list),
    "aggregates": (lambda t: t.memberships, list),
}


def column(table: HostTable, name: str) -> NDArray[Any] | None:
    """Return a fact of every row; none for a name that is no such fact."""
    read = _COLUMNS.get(name)
    return None if read is None else read(table)


def shared(table: HostTable, name: str) -> tuple[Shared[Any], Callable[[Any], object]] | None:
    """Return the column of a fact that hosts share, and how to read its values."""
    if name not in _SHARED:
        return None
    column_of, read = _SHARED[name]
    return column_of(table), read


def value(table: HostTable, row: int, path: Sequence[str]) -> object:
    """Return one host's fact; none when it has no such one."""
    found = shared(table, path[0])
    if found is not None:
        return follow(found[1](found[0].at(row)), path[1:])
    values = column(table, path[0])
    return None if values is None or len(path) > 1 else values[row : row + 1].tolist()[0]


def follow(value: object, path: Sequence[str]) -> object:
    """Go down into a fact that has parts; none when a part is missing."""
    for part in path:
        if not isinstance(value, dict) or part not in value:
            return None
        value = value[part]
    return value
