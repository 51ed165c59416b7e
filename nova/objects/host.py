"""Hosts: services, hypervisors, aggregates and what the scheduler knows of them."""

from __future__ import annotations

import datetime

from nova.objects.base import Value
from nova.objects.ids import AggregateId, HostName, InstanceId, NodeName, ServiceId
from nova.objects.states import Capability, Power


class Service(Value, frozen=True, kw_only=True):
    """One daemon of one host."""

    id: ServiceId
    host: HostName
    binary: str
    topic: str = ""
    zone: str = "internal"
    disabled: bool = False
    disabled_reason: str | None = None
    forced_down: bool = False
    version: int = 0
    beats: int = 0
    seen_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None
    created_at: datetime.datetime | None = None
    number: int = 0
    """The small integer id of the API before 2.53."""
    is_up: bool = False
    """Judged by the conductor from the growth of ``beats`` on its own monotonic clock."""


class ServiceBeat(Value, frozen=True, kw_only=True):
    """A daemon says that it lives."""

    host: HostName
    binary: str
    topic: str = ""
    version: int = 0


class HostInventory(Value, frozen=True, kw_only=True):
    """What one hypervisor has, as its agent reports it."""

    host: HostName
    node: NodeName
    hypervisor_type: str
    hypervisor_version: int = 0
    vcpus: int = 0
    ram_mb: int = 0
    disk_gb: int = 0
    reserved_vcpus: int = 0
    reserved_ram_mb: int = 512
    reserved_disk_gb: int = 0
    cpu_ratio: float = 4.0
    ram_ratio: float = 1.0
    disk_ratio: float = 1.0
    host_ip: str = ""
    cpu_info: dict[str, object] = {}
    supported: tuple[tuple[str, str, str], ...] = ()
    """Triples of architecture, hypervisor type and vm mode, e.g. ``("x86_64", "qemu", "hvm")``."""
    capabilities: tuple[Capability, ...] = ()
    traits: tuple[str, ...] = ()
    disk_available_gb: int = 0
    """Least disk that is really free (``disk_available_least``)."""
    running: int = 0
    uptime: str | None = None
    service_version: int = 0


class Hypervisor(Value, frozen=True, kw_only=True):
    """A compute node as the conductor keeps it: inventory and what is claimed of it."""

    id: str
    number: int
    inventory: HostInventory
    used_vcpus: int = 0
    used_ram_mb: int = 0
    used_disk_gb: int = 0
    instances: int = 0
    io_ops: int = 0
    """Builds, snapshots and the like under way."""
    generation: int = 0
    service: Service | None = None
    updated_at: datetime.datetime | None = None


class Aggregate(Value, frozen=True, kw_only=True):
    """A named set of hosts; ``availability_zone`` in its metadata makes it a zone."""

    id: AggregateId
    uuid: str
    name: str
    hosts: tuple[HostName, ...] = ()
    metadata: dict[str, str] = {}
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None

    @property
    def zone(self) -> str | None:
        return self.metadata.get("availability_zone")


class HostView(Value, frozen=True, kw_only=True):
    """One row of the scheduler's table: everything a filter or weigher may look at."""

    host: HostName
    node: NodeName
    inventory: HostInventory
    used_vcpus: int = 0
    used_ram_mb: int = 0
    used_disk_gb: int = 0
    instances: int = 0
    io_ops: int = 0
    generation: int = 0
    up: bool = True
    enabled: bool = True
    zone: str = "nova"
    aggregates: tuple[AggregateId, ...] = ()
    failed_builds: int = 0


class HostSnapshot(Value, frozen=True, kw_only=True):
    """The whole view, or what changed since ``since``; positions only grow."""

    position: int
    hosts: tuple[HostView, ...] = ()
    gone: tuple[tuple[HostName, NodeName], ...] = ()
    aggregates: tuple[Aggregate, ...] | None = None
    """All aggregates whenever any of them changed, else none."""
    whole: bool = True
    """False: ``hosts`` are replacements of single rows."""


class ObservedGuest(Value, frozen=True, kw_only=True):
    """A guest as a hypervisor reports it."""

    instance_id: InstanceId
    power: Power
    node: NodeName | None = None
    host_booted: bool = False
    """Its machine was started anew since guests were told of, and guests are to be as they were."""


class Zone(Value, frozen=True, kw_only=True):
    """An availability zone with its hosts and their services."""

    name: str
    available: bool = True
    services: tuple[Service, ...] = ()
