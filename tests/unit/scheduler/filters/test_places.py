"""Which hosts are meant: alive, in a zone, named, near or away from others."""

from __future__ import annotations

import pytest

from nova.objects.image import Image
from nova.objects.placement import GroupNeed
from nova.scheduler.host_table import HostTable
from tests.support.scheduling import passing, reason, request, view


def test_only_living_enabled_services() -> None:
    table = HostTable([view("a"), view("down", up=False), view("off", enabled=False)])
    assert passing("ComputeFilter", table, request()) == ["a"]
    assert passing("AllHostsFilter", table, request()) == ["a", "down", "off"]
    assert reason("ComputeFilter", table, request()) == "of their compute services 1 down and 1 disabled"


def test_zones() -> None:
    table = HostTable([view("a"), view("b", zone="east"), view("c", zone="west")])
    assert passing("AvailabilityZoneFilter", table, request()) == ["a", "b", "c"]
    assert passing("AvailabilityZoneFilter", table, request(zone="east")) == ["b"]
    assert passing("AvailabilityZoneFilter", table, request(zone="east, west")) == ["b", "c"]
    assert passing("AvailabilityZoneFilter", table, request(zone="north")) == []
    told = reason("AvailabilityZoneFilter", table, request(zone="north"))
    assert told == "they are in zone east, nova or west, north was asked"


def test_hosts_that_failed_before() -> None:
    table = HostTable([view("a"), view("b", "b1"), view("b", "b2")])
    assert passing("RetryFilter", table, request(excluded=("b", "gone"))) == ["a"]


def test_near_and_away_from_instances() -> None:
    table = HostTable([view("a"), view("b"), view("c")])
    known = {"i1": "a", "i2": "b"}

    def asked(hint: str, *named: str):
        return request(hints={hint: list(named)}, hint_hosts=known)

    assert passing("SameHostFilter", table, asked("same_host", "i1", "i2")) == ["a", "b"]
    assert passing("SameHostFilter", table, asked("same_host", "i9")) == []
    assert passing("SameHostFilter", table, request()) == ["a", "b", "c"]
    assert passing("DifferentHostFilter", table, asked("different_host", "i1", "i2")) == ["c"]
    assert passing("DifferentHostFilter", table, asked("different_host", "i9")) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("policy", "members", "most", "hosts"),
    [
        ("affinity", {}, 1, ["a", "b", "c"]),
        ("affinity", {"b": 2}, 1, ["b"]),
        ("anti-affinity", {}, 1, ["a", "b", "c"]),
        ("anti-affinity", {"b": 1}, 1, ["a", "c"]),
        ("anti-affinity", {"b": 1, "c": 2}, 2, ["a", "b"]),
        ("soft-affinity", {"b": 1}, 1, ["a", "b", "c"]),
        ("soft-anti-affinity", {"b": 1}, 1, ["a", "b", "c"]),
    ],
)
def test_server_groups(policy, members, most, hosts) -> None:
    table = HostTable([view("a"), view("b"), view("c")])
    asked = request(group=GroupNeed(id="g", policy=policy, hosts=members, max_per_host=most))
    both = [set(passing(f"ServerGroup{kind}Filter", table, asked)) for kind in ("Affinity", "AntiAffinity")]
    assert sorted(both[0] & both[1]) == hosts


def test_isolated_hosts() -> None:
    table = HostTable([view("a"), view("special")])
    plain, isolated = request(image=Image(id="plain")), request(image=Image(id="safe"))
    options = {"isolated_hosts": ("special",), "isolated_images": ("safe",)}
    assert passing("IsolatedHostsFilter", table, plain, **options) == ["a"]
    assert passing("IsolatedHostsFilter", table, isolated, **options) == ["special"]
    options["restrict_isolated_hosts_to_isolated_images"] = False
    assert passing("IsolatedHostsFilter", table, plain, **options) == ["a", "special"]
    assert passing("IsolatedHostsFilter", table, plain) == ["a", "special"]


def test_networks_of_hosts() -> None:
    table = HostTable([view("a", host_ip="10.1.2.3"), view("b", host_ip="10.1.3.3"), view("c")])
    near = {"build_near_host_ip": ["10.1.2.99"]}
    assert passing("SimpleCIDRAffinityFilter", table, request(hints=near)) == ["a"]
    assert passing("SimpleCIDRAffinityFilter", table, request(hints=near | {"cidr": ["/16"]})) == ["a", "b"]
    assert passing("SimpleCIDRAffinityFilter", table, request(hints={"build_near_host_ip": ["x"]})) == []
    assert passing("SimpleCIDRAffinityFilter", table, request()) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("query", "hosts"),
    [
        ('["=", "$host", "a"]', ["a"]),
        ('[">=", "$free_ram_mb", 10000]', ["b", "c"]),
        ('["<", "$free_ram_mb", 10000]', ["a"]),
        ('["and", [">=", "$free_ram_mb", 10000], ["=", "$availability_zone", "east"]]', ["c"]),
        ('["or", ["=", "$host", "a"], ["=", "$host", "b"]]', ["a", "b"]),
        ('["not", ["=", "$host", "a"]]', ["b", "c"]),
        ('["in", "$host", "b", "c"]', ["b", "c"]),
        ('["=", "$cpu_info.model", "Opteron"]', ["b"]),
        ('[">", "$nothing", 1]', []),
        ('[">", "$host", 1]', []),
        ('["with", "$host", 1]', []),
        ("[]", []),
        ("true", ["a", "b", "c"]),
        ("[[", []),
        ("[" * 2000, []),
    ],
)
def test_queries(query, hosts) -> None:
    table = HostTable(
        [view("a", used_ram_mb=10000), view("b", cpu_info={"model": "Opteron"}), view("c", zone="east")]
    )
    assert passing("JsonFilter", table, request(hints={"query": [query]})) == hosts
