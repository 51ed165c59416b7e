"""Whole columns decide as one host after the other would, and never beyond what a host has."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from nova.clock import StoppedClock
from nova.conf.scheduler import SchedulerOptions
from nova.objects.host import HostSnapshot, HostView
from nova.objects.placement import GroupNeed, PlacementRequest
from nova.scheduler.host_table import HostTable, Load
from nova.scheduler.pipeline import Placer, place
from nova.scheduler.question import load_of
from nova.scheduler.view import View
from tests.support.scheduling import flavor, image, request, view

OPTIONS = SchedulerOptions()

sizes = st.fixed_dictionaries(
    {
        "vcpus": st.integers(1, 6),
        "ram_mb": st.integers(1, 6).map(lambda n: n * 512),
        "disk_gb": st.integers(1, 6),
        "reserved_vcpus": st.sampled_from([0, 0, 1]),
        "reserved_ram_mb": st.sampled_from([0, 512]),
        "used_vcpus": st.sampled_from([0, 0, 0, 1, 3]),
        "used_ram_mb": st.sampled_from([0, 0, 0, 1, 4]).map(lambda n: n * 512),
        "used_disk_gb": st.sampled_from([0, 0, 0, 1, 3]),
        "cpu_ratio": st.sampled_from([0.5, 1.0, 1.5, 4.0]),
        "ram_ratio": st.sampled_from([0.9, 1.0, 1.5]),
        "disk_ratio": st.sampled_from([1.0, 2.0]),
        "io_ops": st.integers(0, 2),
        "failed_builds": st.integers(0, 1),
        "up": st.sampled_from([True, True, True, False]),
        "enabled": st.sampled_from([True, True, True, False]),
        "zone": st.sampled_from(["nova", "nova", "east"]),
        "traits": st.sampled_from([(), ("HW_A",)]),
        "supported": st.sampled_from([(("x86_64", "qemu", "hvm"),), (("aarch64", "qemu", "hvm"),)]),
        "hypervisor_version": st.sampled_from([5000000, 6002000]),
    }
)


@st.composite
def tables(draw: st.DrawFn) -> list[HostView]:
    return [view(f"h{n}", **facts) for n, facts in enumerate(draw(st.lists(sizes, max_size=7)))]


@st.composite
def asks(draw: st.DrawFn) -> PlacementRequest:
    specs = draw(st.sampled_from([{}, {}, {"trait__HW_A": "required"}, {"hypervisor_version": ">= 6000000"}]))
    wanted = flavor(draw(st.integers(0, 3)), draw(st.integers(0, 3)) * 512, draw(st.integers(0, 3)), **specs)
    policy = draw(st.sampled_from([None, None, "affinity", "anti-affinity", "soft-affinity"]))
    members = draw(st.dictionaries(st.sampled_from(["h0", "h1", "gone"]), st.integers(1, 2), max_size=2))
    most = draw(st.integers(1, 2))
    return request(
        draw(st.integers(1, 4)),
        flavor=wanted,
        zone=draw(st.sampled_from([None, None, "nova", "east"])),
        image=draw(st.sampled_from([None, image(), image(hw_architecture="x86_64")])),
        excluded=draw(st.sampled_from([(), (), ("h0",)])),
        group=policy and GroupNeed(id=policy, policy=policy, hosts=members, max_per_host=most),
    )


def limits(host: HostView) -> Load:
    """What may be used of a host: capacity without reserves, times the ratio."""
    own = host.inventory

    def of(total: int, reserved: int, ratio: float) -> int:
        return math.floor(max(total - reserved, 0) * ratio)

    return Load(
        of(own.vcpus, own.reserved_vcpus, own.cpu_ratio),
        of(own.ram_mb, own.reserved_ram_mb, own.ram_ratio),
        of(own.disk_gb, own.reserved_disk_gb, own.disk_ratio),
    )


def fits(host: HostView, asked: PlacementRequest, used: Load, members: Counter[str]) -> bool:
    """Judge one host as the filters that are on by default do."""
    own, need, most = host.inventory, load_of(asked), limits(host)
    specs = asked.flavor.extra_specs
    architecture = asked.image and asked.image.properties.get("hw_architecture")
    group = asked.group
    sizes_of = (own.vcpus, own.ram_mb, own.disk_gb)
    return (
        host.up
        and host.enabled
        and host.host not in asked.excluded
        and asked.zone in (None, host.zone)
        and all(
            not n or (n + u <= m and n <= t) for n, u, m, t in zip(need, used, most, sizes_of, strict=True)
        )
        and ("trait:HW_A" not in specs or "HW_A" in own.traits)
        and ("hypervisor_version" not in specs or own.hypervisor_version >= 6000000)
        and (not architecture or any(triple[0] == architecture for triple in own.supported))
        and (
            group is None
            or group.policy == "soft-affinity"
            or (group.policy == "anti-affinity" and members[host.host] < group.max_per_host)
            or (group.policy == "affinity" and (not +members or members[host.host] > 0))
        )
    )


class Naive:
    """Looks at one host after the other."""

    def __init__(self, hosts: Sequence[HostView]) -> None:
        self.hosts = {h.host: h for h in hosts}
        self.used = {h.host: Load(h.used_vcpus, h.used_ram_mb, h.used_disk_gb) for h in hosts}
        self.groups: dict[str, Counter[str]] = {}

    def members(self, asked: PlacementRequest) -> Counter[str]:
        """Count the group's members on known hosts, those of this batch among them."""
        found: Counter[str] = Counter()
        if asked.group is not None:
            found += Counter({h: n for h, n in asked.group.hosts.items() if h in self.hosts})
            found += self.groups.get(asked.group.id, Counter())
        return found

    def passing(self, asked: PlacementRequest) -> set[str]:
        members = self.members(asked)
        return {name for name, h in self.hosts.items() if fits(h, asked, self.used[name], members)}

    def take(self, asked: PlacementRequest, host: str) -> None:
        self.used[host] = Load(*(a + b for a, b in zip(self.used[host], load_of(asked), strict=True)))
        if asked.group is not None:
            self.groups.setdefault(asked.group.id, Counter())[host] += 1


@settings(max_examples=400, deadline=None)
@given(tables(), st.lists(asks(), min_size=1, max_size=4), st.integers(0, 9))
def test_decides_as_one_host_after_the_other(hosts, requests, seed) -> None:
    table = HostTable(hosts)
    naive = Naive(hosts)
    for asked, decision in zip(requests, place(table, requests, OPTIONS, random.Random(seed)), strict=True):
        before = (dict(naive.used), {g: Counter(c) for g, c in naive.groups.items()})
        placed = [choice.host for choice in decision.choices]
        verdicts = decision.explanation.filters
        assert decision.explanation.considered == len(hosts)
        if placed:
            left = verdicts[-1].after if verdicts else len(hosts)
            assert left == len(naive.passing(asked))
            assert len(placed) == len(asked.instances)
            for host in placed:
                assert host in naive.passing(asked)
                naive.take(asked, host)
            continue
        # Whatever is tried greedily, somewhere no host is left; with one instance: at once.
        if len(asked.instances) == 1 or asked.group is None:
            while (rest := naive.passing(asked)) and len(placed) < len(asked.instances):
                placed.append(min(rest))
                naive.take(asked, placed[-1])
            assert len(placed) < len(asked.instances)
        naive.used, naive.groups = before


@settings(max_examples=200, deadline=None)
@given(tables(), st.lists(asks(), min_size=1, max_size=4), st.integers(0, 9))
def test_alternates_pass_as_well(hosts, requests, seed) -> None:
    (decision,) = place(HostTable(hosts), requests[:1], OPTIONS, random.Random(seed))
    if len(requests[0].instances) == 1:
        passing = Naive(hosts).passing(requests[0])
        found = [c.host for c in (*decision.choices, *decision.alternates)]
        assert len(found) == min(3, len(passing)) == len(set(found))
        assert set(found) <= passing


def weight(host: HostView, among: Sequence[HostView]) -> float:
    """Weigh one host among those that pass: each weigher from 0 to 1, times its multiplier."""
    weighers = (
        (1.0, lambda h: h.inventory.ram_mb - h.inventory.reserved_ram_mb - h.used_ram_mb),
        (1.0, lambda h: limits(h).vcpus - h.used_vcpus),
        (1.0, lambda h: h.inventory.disk_gb - h.inventory.reserved_disk_gb - h.used_disk_gb),
        (-1.0, lambda h: h.io_ops),
        (1000000.0, lambda h: -h.failed_builds),
        (1.0, lambda h: h.inventory.hypervisor_version),
    )
    score = 0.0
    for multiplier, of in weighers:
        values = [of(h) for h in among]
        span = max(values) - min(values)
        score += multiplier * (of(host) - min(values)) / span if span else 0.0
    return score


@settings(max_examples=300, deadline=None)
@given(tables(), asks(), st.integers(0, 9))
def test_the_heaviest_wins(hosts, asked, seed) -> None:
    asked = msgspec.structs.replace(asked, instances=asked.instances[:1], group=None)
    (decision,) = place(HostTable(hosts), [asked], OPTIONS, random.Random(seed))
    among = [h for h in hosts if h.host in Naive(hosts).passing(asked)]
    scores = {h.host: weight(h, among) for h in among}
    found = [c.host for c in (*decision.choices, *decision.alternates)]
    assert [round(scores[h], 5) for h in found] == sorted(
        (round(s, 5) for s in scores.values()), reverse=True
    )[:3]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_kept_search_decides_like_a_new_one(data) -> None:
    """Rows change, come and go between requests; what is kept of earlier requests never shows."""
    hosts = {h.host: h for h in data.draw(tables())}
    table = HostTable([*hosts.values()])
    placer = Placer(OPTIONS)
    kinds = data.draw(st.lists(asks(), min_size=1, max_size=3))
    position = 1
    for turn in range(data.draw(st.integers(1, 6))):
        asked = [data.draw(st.sampled_from(kinds)) for _ in range(data.draw(st.integers(1, 3)))]
        fresh = HostTable([table.view(row) for row in range(len(table))])
        assert placer.place(table, asked, random.Random(turn)) == place(
            fresh, asked, OPTIONS, random.Random(turn)
        )
        names = st.sampled_from([*hosts] or ["h9"])
        used = st.fixed_dictionaries({"used_vcpus": st.integers(0, 4), "used_ram_mb": st.integers(0, 2000)})
        touched = data.draw(st.dictionaries(names, used, max_size=2))
        for name, facts in touched.items():
            hosts[name] = msgspec.structs.replace(hosts.get(name) or view(name), **facts)
        gone: list[str] = []
        if data.draw(st.integers(0, 3)) == 0:
            gone = data.draw(st.lists(names, max_size=1))
            hosts["h8"] = view("h8", **data.draw(sizes))
            touched["h8"] = {}
        position += 1
        views = tuple(msgspec.structs.replace(hosts[n], generation=position) for n in touched)
        table.apply(
            HostSnapshot(position=position, hosts=views, gone=tuple((h, h) for h in gone), whole=False)
        )


@settings(max_examples=150, deadline=None)
@given(tables(), st.lists(asks(), min_size=1, max_size=6), st.integers(0, 9))
def test_decisions_one_after_the_other_never_take_more_than_there_is(hosts, requests, seed) -> None:
    hosts = tuple(hosts)
    shown = View(
        lambda _: HostSnapshot(position=1, hosts=hosts, aggregates=()),
        OPTIONS,
        StoppedClock(),
        random.Random(seed),
    )
    naive = Naive(hosts)
    for asked in requests:
        for choice in shown.select([asked])[0].choices:
            naive.take(asked, choice.host)
    for host in hosts:
        start = Load(host.used_vcpus, host.used_ram_mb, host.used_disk_gb)
        for used, most, before in zip(naive.used[host.host], limits(host), start, strict=True):
            assert used <= max(most, before)
