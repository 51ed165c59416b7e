"""Makers of hosts and requests for the scheduler's tests."""

from __future__ import annotations

from typing import Any

from nova.objects.flavor import Flavor
from nova.objects.host import HostInventory, HostView
from nova.objects.ids import FlavorId, HostName, InstanceId, NodeName, ProjectId
from nova.objects.placement import PlacementRequest

_OF_VIEW = {
    "used_vcpus", "used_ram_mb", "used_disk_gb", "instances", "io_ops", "generation", "up", "enabled", "zone",
    "aggregates", "failed_builds",
}  # fmt: skip


def view(host: str, node: str | None = None, **facts: Any) -> HostView:
    """Make a host with 8 CPUs, 16 GiB and 100 GB, ratios of one and nothing reserved unless told."""
    of_view = {name: facts.pop(name) for name in [*facts] if name in _OF_VIEW}
    sizes = {
        "hypervisor_type": "qemu",
        "vcpus": 8,
        "ram_mb": 16384,
        "disk_gb": 100,
        "reserved_ram_mb": 0,
        "cpu_ratio": 1.0,
        "ram_ratio": 1.0,
        "disk_ratio": 1.0,
        "supported": (("x86_64", "qemu", "hvm"),),
    }
    name, node_name = HostName(host), NodeName(node or host)
    inventory = HostInventory(host=name, node=node_name, **(sizes | facts))
    return HostView(host=name, node=node_name, inventory=inventory, **of_view)


def flavor(vcpus: int = 1, ram_mb: int = 512, disk_gb: int = 1, **specs: str) -> Flavor:
    """Make a flavor; keywords are extra specs with ``__`` for a colon."""
    return Flavor(
        id=FlavorId("f"),
        name="f",
        vcpus=vcpus,
        ram_mb=ram_mb,
        root_gb=disk_gb,
        extra_specs={key.replace("__", ":"): value for key, value in specs.items()},
    )


def request(count: int = 1, name: str = "r", **facts: Any) -> PlacementRequest:
    """Make a request for so many instances."""
    instances = tuple(InstanceId(f"{name}-{n}") for n in range(count))
    facts = {"project_id": ProjectId("p"), "flavor": flavor()} | facts
    return PlacementRequest(id=name, instances=instances, **facts)
