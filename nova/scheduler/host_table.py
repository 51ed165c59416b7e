"""The hosts as columns: one row a hypervisor, fed by snapshots and deltas of the conductor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from nova.objects.host import Aggregate, HostInventory, HostSnapshot, HostView
from nova.objects.ids import AggregateId, HostName, NodeName
from nova.objects.states import Capability
from nova.scheduler.columns import Floats, Ints, Mask, Rows, Shared

Key = tuple[HostName, NodeName]


class Load(NamedTuple):
    """What one instance takes of a host."""

    vcpus: int
    ram_mb: int
    disk_gb: int


_OF_INVENTORY = (
    "vcpus", "ram_mb", "disk_gb", "reserved_vcpus", "reserved_ram_mb", "reserved_disk_gb",
    "disk_available_gb", "running", "service_version", "hypervisor_version",
)  # fmt: skip
_OF_VIEW = ("used_vcpus", "used_ram_mb", "used_disk_gb", "instances", "io_ops", "failed_builds", "generation")
_RATIOS = ("cpu_ratio", "ram_ratio", "disk_ratio")
_FLAGS = ("up", "enabled")
_DERIVED = ("limit_vcpus", "limit_ram_mb", "limit_disk_gb", "free_vcpus", "free_ram_mb", "free_disk_gb")
_ARRAYS = (*_OF_INVENTORY, *_OF_VIEW, *_RATIOS, *_FLAGS, *_DERIVED, "usable")

_SHARED: dict[str, Callable[[HostView], object]] = {
    "zone": lambda v: v.zone,
    "memberships": lambda v: tuple(sorted(v.aggregates)),
    "hypervisor_type": lambda v: v.inventory.hypervisor_type,
    "supported": lambda v: v.inventory.supported,
    "capabilities": lambda v: v.inventory.capabilities,
    "traits": lambda v: v.inventory.traits,
    # Hosts of one kind report equal texts; the JSON of a dict can be hashed, the dict cannot.
    "cpu_info": lambda v: msgspec.json.encode(v.inventory.cpu_info, order="sorted"),
}


class HostTable:
    """Every known host; filters and weighers read the columns, the pipeline consumes.

    ``epoch`` grows when rows come, go or get values never seen before: whatever was computed per row
    number or per shared value is void then.  ``log`` lists the rows that changed within an epoch.
    Not safe between threads: its owner holds a lock.
    """

    vcpus: Ints
    ram_mb: Ints
    disk_gb: Ints
    reserved_vcpus: Ints
    reserved_ram_mb: Ints
    reserved_disk_gb: Ints
    cpu_ratio: Floats
    ram_ratio: Floats
    disk_ratio: Floats
    disk_available_gb: Ints
    running: Ints
    service_version: Ints
    hypervisor_version: Ints
    used_vcpus: Ints
    used_ram_mb: Ints
    used_disk_gb: Ints
    instances: Ints
    io_ops: Ints
    failed_builds: Ints
    generation: Ints
    up: Mask
    enabled: Mask
    usable: Mask
    """Up and enabled."""
    limit_vcpus: Ints
    """Most that may be used: what is not reserved, times the ratio, cut to whole units."""
    limit_ram_mb: Ints
    limit_disk_gb: Ints
    free_vcpus: Ints
    """The limit without what is used; below zero after a ratio was lowered."""
    free_ram_mb: Ints
    free_disk_gb: Ints
    zone: Shared[str]
    memberships: Shared[tuple[AggregateId, ...]]
    hypervisor_type: Shared[str]
    supported: Shared[tuple[tuple[str, str, str], ...]]
    capabilities: Shared[tuple[Capability, ...]]
    traits: Shared[tuple[str, ...]]
    cpu_info: Shared[bytes]

    def __init__(self, hosts: Sequence[HostView] = (), aggregates: Sequence[Aggregate] = ()) -> None:
        self.epoch = 0
        self.log: list[int] = []
        self.position: int | None = None
        self.aggregates: dict[AggregateId, Aggregate] = {a.id: a for a in aggregates}
        self.hosts: list[HostName] = []
        self.nodes: list[NodeName] = []
        self.addresses: list[str] = []
        self._rows: dict[Key, int] = {}
        self._rows_of_host: dict[HostName, list[int]] = {}
        self._build(hosts)

    def __len__(self) -> int:
        return len(self.hosts)

    def row(self, host: HostName, node: NodeName) -> int | None:
        return self._rows.get((host, node))

    def rows_of(self, host: HostName, node: NodeName | None = None) -> list[int]:
        """Return the rows of a host, of one of its nodes when named; none when it is not known."""
        rows = self._rows_of_host.get(host, [])
        return rows if node is None else [r for r in rows if self.nodes[r] == node]

    def mask_of(self, hosts: Iterable[HostName]) -> Mask:
        """Return a mask of all rows with those of these hosts set; unknown names are left out."""
        mask = np.zeros(len(self), np.bool_)
        for host in hosts:
            mask[self._rows_of_host.get(host, [])] = True
        return mask

    def metadata(self, members: tuple[AggregateId, ...]) -> dict[str, set[str]]:
        """Return every metadata key of these aggregates with all its values, not split."""
        merged: dict[str, set[str]] = {}
        for aggregate in (self.aggregates[i] for i in members if i in self.aggregates):
            for key, value in aggregate.metadata.items():
                merged.setdefault(key, set()).add(value)
        return merged

    def consume(self, row: int, load: Load, times: int = 1) -> None:
        """Count an instance as being built on a row; ``times=-1`` takes it back."""
        self.used_vcpus[row] += load.vcpus * times
        self.used_ram_mb[row] += load.ram_mb * times
        self.used_disk_gb[row] += load.disk_gb * times
        self.free_vcpus[row] -= load.vcpus * times
        self.free_ram_mb[row] -= load.ram_mb * times
        self.free_disk_gb[row] -= load.disk_gb * times
        self.instances[row] += times
        self.io_ops[row] += times
        self.touch(row)

    def touch(self, row: int) -> None:
        """Note that a row must be judged again."""
        self.log.append(row)
        if len(self.log) > 1000 + 4 * len(self):
            self._new_epoch()

    def apply(self, snapshot: HostSnapshot) -> None:
        """Take a snapshot or a delta; rows older than those here (by generation) are left out.

        Applying one twice changes nothing.
        """
        if snapshot.whole:
            self.aggregates = {a.id: a for a in snapshot.aggregates or ()}
            self._build(snapshot.hosts)
            self.position = snapshot.position
            return
        if snapshot.aggregates is not None:
            self.aggregates = {a.id: a for a in snapshot.aggregates}
            self._new_epoch()
        self._remove(snapshot.gone)
        self._replace([v for v in snapshot.hosts if (v.host, v.node) in self._rows])
        self._append([v for v in snapshot.hosts if (v.host, v.node) not in self._rows])
        self.position = max(self.position or 0, snapshot.position)

    def view(self, row: int) -> HostView:
        """Put a row together again, for filters that look at one host at a time."""
        inventory = HostInventory(
            host=self.hosts[row],
            node=self.nodes[row],
            hypervisor_type=self.hypervisor_type.at(row),
            host_ip=self.addresses[row],
            cpu_info=msgspec.json.decode(self.cpu_info.at(row)),
            supported=self.supported.at(row),
            capabilities=self.capabilities.at(row),
            traits=self.traits.at(row),
            **self._values(row, (*_OF_INVENTORY, *_RATIOS)),
        )
        return HostView(
            host=self.hosts[row],
            node=self.nodes[row],
            inventory=inventory,
            zone=self.zone.at(row),
            aggregates=self.memberships.at(row),
            **self._values(row, (*_OF_VIEW, *_FLAGS)),
        )

    def _values(self, row: int, names: Iterable[str]) -> dict[str, Any]:
        return {name: getattr(self, name)[row].item() for name in names}

    def _new_epoch(self) -> None:
        self.epoch += 1
        self.log = []

    def _build(self, views: Sequence[HostView]) -> None:
        views = list({(v.host, v.node): v for v in views}.values())
        count = len(views)
        self.hosts = [v.host for v in views]
        self.nodes = [v.node for v in views]
        self.addresses = [v.inventory.host_ip for v in views]
        for name, values in _numbers(views):
            setattr(self, name, values)
        for name in _DERIVED:
            setattr(self, name, np.zeros(count, np.int64))
        for name, read in _SHARED.items():
            column: Shared[object] = Shared()
            column.fill((read(v) for v in views), count)
            setattr(self, name, column)
        self._derive(slice(None))
        self._index()

    def _replace(self, views: Sequence[HostView]) -> None:
        rows = [self._rows[v.host, v.node] for v in views]
        newer = [i for i, row in enumerate(rows) if views[i].generation >= self.generation[row]]
        if not newer:
            return
        views, rows = [views[i] for i in newer], [rows[i] for i in newer]
        index = np.array(rows, np.intp)
        for name, values in _numbers(views):
            getattr(self, name)[index] = values
        for row, view in zip(rows, views, strict=True):
            self.addresses[row] = view.inventory.host_ip
        for name, read in _SHARED.items():
            column: Shared[object] = getattr(self, name)
            known = len(column.values)
            column.numbers[index] = [column.number(read(v)) for v in views]
            if len(column.values) > known:
                self._new_epoch()
        self._derive(index)
        for row in rows:
            self.touch(row)

    def _append(self, views: Sequence[HostView]) -> None:
        if not views:
            return
        fresh = HostTable(views)
        for name in _ARRAYS:
            setattr(self, name, np.concatenate((getattr(self, name), getattr(fresh, name))))
        for name in _SHARED:
            column: Shared[object] = getattr(self, name)
            other: Shared[object] = getattr(fresh, name)
            numbers = np.array([column.number(v) for v in other.values], np.int32)[other.numbers]
            column.numbers = np.concatenate((column.numbers, numbers))
        self.hosts += fresh.hosts
        self.nodes += fresh.nodes
        self.addresses += fresh.addresses
        self._index()

    def _remove(self, keys: Iterable[Key]) -> None:
        gone = {self._rows[key] for key in keys if key in self._rows}
        if not gone:
            return
        keep = np.ones(len(self), np.bool_)
        keep[list(gone)] = False
        for name in _ARRAYS:
            setattr(self, name, getattr(self, name)[keep])
        for name in _SHARED:
            column: Shared[object] = getattr(self, name)
            column.numbers = column.numbers[keep]
        left = np.flatnonzero(keep)
        self.hosts = [self.hosts[i] for i in left]
        self.nodes = [self.nodes[i] for i in left]
        self.addresses = [self.addresses[i] for i in left]
        self._index()

    def _index(self) -> None:
        self._rows = dict(zip(zip(self.hosts, self.nodes, strict=True), range(len(self)), strict=True))
        by_host: dict[HostName, list[int]] = {}
        for row, host in enumerate(self.hosts):
            by_host.setdefault(host, []).append(row)
        self._rows_of_host = by_host
        self._new_epoch()

    def _derive(self, rows: Rows) -> None:
        self.usable[rows] = self.up[rows] & self.enabled[rows]
        for unit, ratio in (("vcpus", "cpu_ratio"), ("ram_mb", "ram_ratio"), ("disk_gb", "disk_ratio")):
            reserved, used = getattr(self, f"reserved_{unit}")[rows], getattr(self, f"used_{unit}")[rows]
            left = np.maximum(getattr(self, unit)[rows] - reserved, 0)
            limit = np.floor(left * getattr(self, ratio)[rows]).astype(np.int64)
            getattr(self, f"limit_{unit}")[rows] = limit
            getattr(self, f"free_{unit}")[rows] = limit - used


def _numbers(views: Sequence[HostView]) -> Iterable[tuple[str, NDArray[np.generic]]]:
    count = len(views)
    inventories = [v.inventory for v in views]
    for name in _OF_INVENTORY:
        yield name, np.fromiter((getattr(i, name) for i in inventories), np.int64, count)
    for name in _RATIOS:
        yield name, np.fromiter((getattr(i, name) for i in inventories), np.float64, count)
    for name in _OF_VIEW:
        yield name, np.fromiter((getattr(v, name) for v in views), np.int64, count)
    for name in _FLAGS:
        yield name, np.fromiter((getattr(v, name) for v in views), np.bool_, count)
    yield "usable", np.zeros(count, np.bool_)
