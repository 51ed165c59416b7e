"""Makers of hosts and requests for the scheduler's tests."""

from __future__ import annotations

import random
from typing import Any

import msgspec

from nova.conf.scheduler import SchedulerOptions
from nova.objects.flavor import Flavor
from nova.objects.host import Aggregate, HostInventory, HostView
from nova.objects.ids import AggregateId, FlavorId, HostName, ImageId, InstanceId, NodeName, ProjectId
from nova.objects.image import Image
from nova.objects.placement import PlacementRequest
from nova.scheduler.host_table import HostTable
from nova.scheduler.question import Question
from nova.scheduler.registry import load_filters
from nova.scheduler.search import Search

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


def image(**properties: str) -> Image:
    """Make an image with these properties."""
    return Image(id=ImageId("image"), properties=properties)


def aggregate(number: int, hosts: tuple[str, ...] = (), **metadata: str) -> Aggregate:
    """Make an aggregate; its number is also what views name in ``aggregates``."""
    return Aggregate(
        id=AggregateId(number),
        uuid=f"u{number}",
        name=f"agg{number}",
        hosts=tuple(HostName(h) for h in hosts),
        metadata=metadata,
    )


def passing(filter_name: str, table: HostTable, asked: PlacementRequest, **options: Any) -> list[str]:
    """Return the hosts that one filter alone lets through; the verdict must agree with them."""
    settings = msgspec.structs.replace(SchedulerOptions(), enabled_filters=(filter_name,), **options)
    (only,) = [f for f in load_filters(settings) if f.name == filter_name.rpartition(".")[2]]
    search = Search(Question(table, asked), [only], [], settings)
    hosts = sorted(table.hosts[row] for row in search.best(len(table), random.Random(1)))
    for verdict in search.reasons():
        assert verdict.name == only.name
        assert verdict.before - verdict.after == len(table) - len(hosts)
        if verdict.before != verdict.after:
            assert verdict.reason
    return hosts


def reason(filter_name: str, table: HostTable, asked: PlacementRequest, **options: Any) -> str:
    """Return why one filter alone removed hosts."""
    settings = msgspec.structs.replace(SchedulerOptions(), enabled_filters=(filter_name,), **options)
    (only,) = [f for f in load_filters(settings) if f.name == filter_name]
    (verdict,) = Search(Question(table, asked), [only], [], settings).reasons()
    return verdict.reason
