"""Decisions: choices, alternates, batches, groups, named hosts and their explanations."""

from __future__ import annotations

import random
from collections import Counter

import msgspec
import pytest

from nova.conf.scheduler import SchedulerOptions
from nova.objects.placement import Decision, GroupNeed, PlacementRequest
from nova.scheduler.host_table import HostTable, Load
from nova.scheduler.pipeline import Placer, place
from nova.scheduler.registry import UnknownPlugin, load_filters, load_weighers
from tests.support.scheduling import aggregate, flavor, request, view

DEFAULTS = SchedulerOptions()


def options(**changes: object) -> SchedulerOptions:
    return msgspec.structs.replace(DEFAULTS, **changes)


def decide(
    table: HostTable, *requests: PlacementRequest, seed: int = 1, with_options: SchedulerOptions = DEFAULTS
) -> list[Decision]:
    return place(table, requests, with_options, random.Random(seed))


def hosts(decision: Decision) -> list[str]:
    return [choice.host for choice in decision.choices]


def numbers(table: HostTable) -> list[object]:
    views = [table.view(row) for row in range(len(table))]
    return [(v.used_vcpus, v.used_ram_mb, v.used_disk_gb, v.instances, v.io_ops) for v in views]


def test_the_host_with_most_room_wins_and_the_next_best_are_alternates() -> None:
    table = HostTable(
        [
            view("full", used_ram_mb=16384, generation=3),
            view("small", used_ram_mb=8000, generation=4),
            view("large", generation=5, zone="east"),
            view("middle", used_ram_mb=4000, generation=6),
        ]
    )
    (decision,) = decide(table, request())
    (choice,) = decision.choices
    assert (choice.host, choice.node, choice.zone, choice.generation) == ("large", "large", "east", 5)
    assert [a.host for a in decision.alternates] == ["middle", "small"]
    assert choice.weight > decision.alternates[0].weight > decision.alternates[1].weight
    told = decision.explanation
    assert (told.considered, told.chosen) == (4, "large")
    assert [w.host for w in told.best] == ["large", "middle", "small"]
    assert told.best[0].score == pytest.approx(sum(told.best[0].parts.values()))
    assert told.best[0].parts == {"RAMWeigher": 1.0}
    assert [(v.name, v.before, v.after) for v in told.filters if v.before > v.after] == [("RamFilter", 4, 3)]
    assert told.sentence() == "large was chosen out of 4 hosts before middle."


def test_says_why_no_host_was_left() -> None:
    table = HostTable([view("a", up=False), view("b", used_ram_mb=16000), view("c", used_ram_mb=16300)])
    (decision,) = decide(table, request())
    assert not decision.choices
    assert not decision.alternates
    assert decision.explanation.sentence() == (
        "3 hosts were considered: ComputeFilter removed 1 (of their compute services 1 down); RamFilter "
        "removed 2 (the freest of them has 384 MB of RAM left, 512 were asked)."
    )
    assert decide(HostTable(), request())[0].explanation.sentence() == "No compute host is known yet."


def test_one_request_spreads_over_hosts_and_gets_all_or_nothing() -> None:
    table = HostTable([view("a", vcpus=2), view("b", vcpus=2), view("c", vcpus=1)])
    before = numbers(table)
    whole, too_much, after = decide(
        table, request(5, "five"), request(1, "one"), request(1, "small", flavor=flavor(vcpus=0))
    )
    assert Counter(hosts(whole)) == {"a": 2, "b": 2, "c": 1}
    assert not too_much.choices
    assert after.choices
    (six,) = decide(table, request(6))
    assert not six.choices
    assert numbers(table) == before


def test_what_could_not_be_placed_whole_takes_nothing_from_the_next() -> None:
    table = HostTable([view("a", vcpus=2)])
    three, two = decide(table, request(3, "three"), request(2, "two"))
    assert not three.choices
    assert hosts(two) == ["a", "a"]


def test_a_refused_batch_says_how_many_had_hosts() -> None:
    table = HostTable([view("a", ram_mb=1300), view("b", ram_mb=1300, up=False)])
    (decision,) = decide(table, request(3))
    assert decision.explanation.sentence() == (
        "2 hosts were considered: ComputeFilter removed 1 (of their compute services 1 down); "
        "RamFilter removed 1 (with 2 of the instances placed, "
        "the freest of them has 276 MB of RAM left, 512 were asked)."
    )


def test_a_batch_gets_alternates_besides_the_chosen() -> None:
    table = HostTable([view(f"h{n}", vcpus=1) for n in range(6)])
    (decision,) = decide(table, request(2))
    assert len(decision.alternates) == 4
    assert not set(hosts(decision)) & {a.host for a in decision.alternates}
    assert not decide(table, request(2), with_options=options(max_attempts=1))[0].alternates


def test_equal_hosts_are_taken_at_random() -> None:
    table = HostTable([view(f"h{n}") for n in range(4)])
    taken = Counter(hosts(decide(table, request(), seed=n)[0])[0] for n in range(200))
    assert len(taken) == 4
    assert min(taken.values()) > 20
    assert decide(table, request(), seed=3) == decide(table, request(), seed=3)


def test_a_subset_of_the_best_is_drawn_from() -> None:
    table = HostTable([view(f"h{n}", used_ram_mb=n * 1000) for n in range(5)])
    subset = options(host_subset_size=3)
    taken = Counter(hosts(decide(table, request(), seed=n, with_options=subset)[0])[0] for n in range(100))
    assert sorted(taken) == ["h0", "h1", "h2"]
    for n in range(20):
        (decision,) = decide(table, request(), seed=n, with_options=subset)
        assert decision.choices[0].host not in {a.host for a in decision.alternates}


def test_a_forced_host_skips_filters_and_has_no_alternates() -> None:
    table = HostTable([view("a", up=False, used_ram_mb=20000), view("b"), view("c", "c1"), view("c", "c2")])
    (decision,) = decide(table, request(forced_host="a", excluded=("a",)))
    assert hosts(decision) == ["a"]
    assert not decision.alternates
    (decision,) = decide(table, request(forced_host="c", forced_node="c2"))
    assert [(c.host, c.node) for c in decision.choices] == [("c", "c2")]
    (decision,) = decide(table, request(forced_host="x"))
    assert not decision.choices
    assert "host x was asked and is not known" in decision.explanation.sentence()


def test_a_requested_host_goes_through_the_filters() -> None:
    table = HostTable([view("a"), view("b", up=False), view("c", "c1"), view("c", "c2")])
    assert hosts(decide(table, request(requested_host="a"))[0]) == ["a"]
    assert not decide(table, request(requested_host="b"))[0].choices
    (decision,) = decide(table, request(requested_node="c1"))
    assert [c.node for c in decision.choices] == ["c1"]


def group(policy: str, most: int = 1, **members: int) -> GroupNeed:
    return GroupNeed(id="g", policy=policy, hosts=members, max_per_host=most)


def test_groups_see_the_members_that_the_batch_placed() -> None:
    table = HostTable([view("a"), view("b"), view("c")])
    apart, together = group("anti-affinity"), group("affinity")
    (three,) = decide(table, request(3, group=apart))
    assert sorted(hosts(three)) == ["a", "b", "c"]
    assert not decide(table, request(4, group=apart))[0].choices
    # Requests of one group that are otherwise different see each other as well.
    decisions = decide(
        table,
        request(1, "r1", group=apart),
        request(1, "r2", group=apart, flavor=flavor(vcpus=2)),
        request(1, "r3", group=apart, flavor=flavor(vcpus=3)),
        request(1, "r4", group=apart),
    )
    assert sorted(h for d in decisions for h in hosts(d)) == ["a", "b", "c"]
    assert not decisions[3].choices
    (five,) = decide(table, request(5, group=together))
    assert len(set(hosts(five))) == 1
    assert not decide(table, request(9, group=together))[0].choices


def test_group_rules_and_soft_policies() -> None:
    table = HostTable([view("a"), view("b")])
    (four,) = decide(table, request(4, group=group("anti-affinity", 2)))
    assert Counter(hosts(four)) == {"a": 2, "b": 2}
    (decision,) = decide(table, request(group=group("soft-affinity", b=1)))
    assert hosts(decision) == ["b"]
    (decision,) = decide(table, request(group=group("soft-anti-affinity", b=1)))
    assert hosts(decision) == ["a"]


def test_a_placer_that_is_used_again_decides_like_a_new_one() -> None:
    table = HostTable([view(f"h{n}", vcpus=4, used_ram_mb=100 * n) for n in range(5)])
    placer = Placer(DEFAULTS)
    asked = [request(2, group=group("anti-affinity")), request(3, flavor=flavor(vcpus=2)), request()]
    for n in range(20):
        assert placer.place(table, asked, random.Random(n)) == decide(table, *asked, seed=n)
        table.consume(n % 5, Load(0, 64, 1))
        if n % 4 == 3:
            table.consume(n % 5, Load(0, 64, 1), -1)


@pytest.mark.parametrize(
    ("better", "worse", "changes"),
    [
        ({}, {"used_ram_mb": 1}, {}),
        ({}, {"used_vcpus": 1}, {}),
        ({}, {"used_disk_gb": 1}, {}),
        ({}, {"io_ops": 1}, {}),
        ({"used_ram_mb": 9000, "used_disk_gb": 50}, {"failed_builds": 1}, {}),
        ({"hypervisor_version": 2}, {"hypervisor_version": 1}, {}),
        ({"instances": 2}, {"instances": 1}, {"num_instances_weight_multiplier": 1.0}),
        ({"instances": 1}, {"instances": 2}, {"num_instances_weight_multiplier": -1.0}),
        ({"used_ram_mb": 1}, {}, {"ram_weight_multiplier": -1.0}),
    ],
)
def test_weighers(better, worse, changes) -> None:
    table = HostTable([view("worse", **worse), view("better", **better)])
    for seed in range(5):
        assert hosts(decide(table, request(), seed=seed, with_options=options(**changes))[0]) == ["better"]


def test_aggregates_override_multipliers() -> None:
    groups = [aggregate(1, ram_weight_multiplier="-1.0"), aggregate(2, ram_weight_multiplier="loud")]
    table = HostTable(
        [
            view("empty", aggregates=(1,)),
            view("used", used_ram_mb=500, aggregates=(2,)),
            view("most", used_ram_mb=999),
        ],
        groups,
    )
    assert hosts(decide(table, request())[0]) == ["used"]


def test_names_of_filters_and_weighers() -> None:
    chosen = options(
        enabled_filters=("nova.scheduler.filters.ram_filter.RamFilter", "ComputeFilter", "ComputeFilter")
    )
    assert [f.name for f in load_filters(chosen)] == [
        "RetryFilter", "AvailabilityZoneFilter", "CoreFilter", "DiskFilter", "RamFilter", "ComputeFilter",
    ]  # fmt: skip
    assert "NumInstancesWeigher" not in [w.name for w in load_weighers(DEFAULTS)]
    assert [w.name for w in load_weighers(options(weight_classes=("RAMWeigher",)))] == ["RAMWeigher"]
    for name in ("NoSuchFilter", "nowhere.at.All", "os.path.join"):
        with pytest.raises(UnknownPlugin, match=name.rpartition(".")[2]):
            load_filters(options(enabled_filters=(name,)))


def test_filters_of_third_parties() -> None:
    name = "tests.support.odd_hosts.OddHosts"
    table = HostTable([view("h1"), view("h2"), view("h3")])
    (decision,) = decide(table, request(2), with_options=options(enabled_filters=(name,)))
    assert sorted(hosts(decision)) == ["h1", "h3"]
    listed = options(enabled_filters=("OddHosts",), available_filters=(name,))
    assert sorted(hosts(decide(table, request(2), with_options=listed)[0])) == ["h1", "h3"]
