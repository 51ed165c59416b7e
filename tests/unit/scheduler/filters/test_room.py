"""CPUs, memory and disk: ratios, reserves, aggregates, counts."""

from __future__ import annotations

import pytest

from nova.scheduler.host_table import HostTable
from tests.support.scheduling import aggregate, flavor, passing, reason, request, view


@pytest.mark.parametrize(
    ("name", "facts", "asked", "passes"),
    [
        ("CoreFilter", {"vcpus": 4, "used_vcpus": 3}, flavor(vcpus=1), True),
        ("CoreFilter", {"vcpus": 4, "used_vcpus": 3}, flavor(vcpus=2), False),
        ("CoreFilter", {"vcpus": 4, "used_vcpus": 7, "cpu_ratio": 2.0}, flavor(vcpus=1), True),
        ("CoreFilter", {"vcpus": 4, "used_vcpus": 8, "cpu_ratio": 2.0}, flavor(vcpus=1), False),
        ("CoreFilter", {"vcpus": 4, "cpu_ratio": 16.0}, flavor(vcpus=5), False),
        ("CoreFilter", {"vcpus": 4, "reserved_vcpus": 2}, flavor(vcpus=3), False),
        ("RamFilter", {"ram_mb": 1024, "reserved_ram_mb": 512}, flavor(ram_mb=512), True),
        ("RamFilter", {"ram_mb": 1024, "reserved_ram_mb": 512}, flavor(ram_mb=513), False),
        ("RamFilter", {"ram_mb": 1000, "ram_ratio": 1.5, "used_ram_mb": 1000}, flavor(ram_mb=500), True),
        ("RamFilter", {"ram_mb": 1000, "ram_ratio": 1.5, "used_ram_mb": 1001}, flavor(ram_mb=500), False),
        ("DiskFilter", {"disk_gb": 10, "used_disk_gb": 9}, flavor(disk_gb=1), True),
        ("DiskFilter", {"disk_gb": 10, "used_disk_gb": 9}, flavor(disk_gb=2), False),
        ("DiskFilter", {"disk_gb": 10, "used_disk_gb": 12}, flavor(disk_gb=0), True),
        ("DiskFilter", {"disk_gb": 10, "reserved_disk_gb": 20}, flavor(disk_gb=1), False),
    ],
)
def test_takes_hosts_up_to_the_last_unit(name, facts, asked, passes) -> None:
    table = HostTable([view("a", **facts)])
    assert passing(name, table, request(flavor=asked)) == (["a"] if passes else [])


def test_volume_backed_instances_take_no_disk() -> None:
    table = HostTable([view("a", disk_gb=0)])
    assert passing("DiskFilter", table, request(flavor=flavor(disk_gb=10), disk_gb=0)) == ["a"]
    assert passing("DiskFilter", table, request(flavor=flavor(disk_gb=10))) == []


def test_says_how_near_the_nearest_came() -> None:
    table = HostTable([view("a", used_ram_mb=16000), view("b", used_ram_mb=16100)])
    asked = request(flavor=flavor(ram_mb=2048))
    assert reason("RamFilter", table, asked) == "the freest of them has 384 MB of RAM left, 2048 were asked"
    asked = request(flavor=flavor(vcpus=9))
    table = HostTable([view("a", cpu_ratio=16.0)])
    assert reason("CoreFilter", table, asked) == "the largest of them has 8 vCPUs in all, 9 were asked"


@pytest.mark.parametrize(
    ("name", "key", "asked"),
    [
        ("AggregateCoreFilter", "cpu_allocation_ratio", flavor(vcpus=5)),
        ("AggregateRamFilter", "ram_allocation_ratio", flavor(ram_mb=9000)),
        ("AggregateDiskFilter", "disk_allocation_ratio", flavor(disk_gb=60)),
    ],
)
def test_the_least_ratio_of_aggregates_holds(name, key, asked) -> None:
    groups = [aggregate(1, **{key: "0.5"}), aggregate(2, **{key: "1.0"}), aggregate(3, **{key: "much"})]
    table = HostTable(
        [
            view("none"),
            view("half", aggregates=(1,)),
            view("least", aggregates=(1, 2)),
            view("whole", aggregates=(2,)),
            view("odd", aggregates=(3,)),
        ],
        groups,
    )
    assert passing(name, table, request(flavor=asked)) == ["none", "odd", "whole"]


def test_counts_stay_below_their_limits() -> None:
    table = HostTable([view("a", io_ops=7, instances=49), view("b", io_ops=8, instances=50)])
    assert passing("IoOpsFilter", table, request()) == ["a"]
    assert passing("NumInstancesFilter", table, request()) == ["a"]
    assert passing("NumInstancesFilter", table, request(), max_instances_per_host=51) == ["a", "b"]
    assert passing("IoOpsFilter", table, request(), max_io_ops_per_host=7) == []


@pytest.mark.parametrize(
    ("name", "key", "count"),
    [
        ("AggregateIoOpsFilter", "max_io_ops_per_host", "io_ops"),
        ("AggregateNumInstancesFilter", "max_instances_per_host", "instances"),
    ],
)
def test_aggregates_set_limits_of_counts(name, key, count) -> None:
    groups = [aggregate(1, **{key: "3"})]
    table = HostTable([view("a", **{count: 3}), view("b", aggregates=(1,), **{count: 3})], groups)
    assert passing(name, table, request()) == ["a"]
