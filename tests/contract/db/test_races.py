"""Many at the last unit: exactly as many win as there are units, on every database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

import pytest

from nova import ids
from nova.db import (
    ec2_ids,
    fixed_ips,
    host_feed,
    hosts,
    instances,
    networks,
    quotas,
    security_groups,
    server_groups,
    workflows,
)
from nova.db.engine import Database, Tx
from nova.db.fixed_ips import AddressWant
from nova.db.hosts import Claim
from nova.db.instances import Swap
from nova.errors.servers import NoMoreAddresses
from nova.objects.ids import ProjectId
from nova.objects.network import SecurityGroup, SecurityRule
from nova.objects.server_group import ServerGroup
from nova.objects.states import Vm
from tests.contract.db.makers import instance, inventory, network, workflow

R = TypeVar("R")
RACERS = 16
ROUNDS = 4


def race(db: Database, work: Callable[[Tx, int], R], racers: int = RACERS) -> list[R]:
    """Run work in so many threads at once; return what each got; raises what any raised."""
    results: list[R] = []
    errors: list[BaseException] = []
    start = threading.Barrier(racers)

    def one(number: int) -> None:
        try:
            start.wait(30)
            results.append(db.run(lambda tx: work(tx, number)))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=one, args=(n,)) for n in range(racers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    if errors:
        raise errors[0]
    return results


@pytest.mark.parametrize("known", [False, True])
def test_the_last_unit_of_a_quota(db: Database, known: bool) -> None:
    for number in range(ROUNDS):
        project = f"p{number}"
        if known:
            db.run(lambda tx, p=project: quotas.reserve(tx, p, {"instances": 4}, {}))
        limit = 5 if known else 1
        got = race(
            db, lambda tx, _, p=project, n=limit: quotas.reserve(tx, p, {"instances": 1}, {"instances": n})
        )
        assert got.count(True) == 1
        assert db.read(lambda tx, p=project: quotas.used(tx, p))["instances"] == limit


def test_the_last_unit_of_a_users_own_limit(db: Database) -> None:
    unit = {"instances": 1, "cores": 1, "ram": 512}

    def boot(tx: Tx, _: int) -> bool:
        assert quotas.reserve(tx, "p", unit, {}) is True
        got = quotas.stay_within(tx, ("p", "u1"), unit, {"instances": 3}, 1, 1)
        if got == 1:
            instances.insert(tx, [instance(project_id="p")])
        else:
            quotas.release(tx, "p", unit)
        return got == 1

    assert race(db, boot).count(True) == 3
    assert db.read(lambda tx: instances.use_of(tx, "p", "u1"))[0] == 3
    assert db.read(lambda tx: quotas.used(tx, "p"))["instances"] == 3


def test_reserving_and_releasing_leaves_nothing(db: Database) -> None:
    def both(tx: Tx, _: int) -> None:
        assert quotas.reserve(tx, "p1", {"instances": 1, "ram": 5}, {}) is True
        quotas.release(tx, "p1", {"instances": 1, "ram": 5})

    race(db, both)
    assert set(db.read(lambda tx: quotas.used(tx, "p1")).values()) == {0}


def test_the_last_place_of_a_host(db: Database) -> None:
    def claims(number: int) -> list[Claim]:
        """One for a host of its own, one for the host that all want."""
        values = {"vcpus": 1, "ram_mb": 1024, "disk_gb": 1}
        wanted = ("h1", f"own{number}")
        return [Claim(instance_id=ids.new_uuid(), host=host, node=host, **values) for host in wanted]  # type: ignore[arg-type]

    names = ["h1", *(f"own{n}" for n in range(RACERS))]
    db.run(lambda tx: hosts.report(tx, [inventory(name) for name in names]))
    got = race(db, lambda tx, n: hosts.claim(tx, claims(n)))
    assert sum(len(won) for won in got) == RACERS + 4
    assert all(booked == real for _, _, booked, real in db.read(hosts.books))
    everyone = [instance_id for won in got for instance_id in won]
    race(db, lambda tx, n: hosts.release(tx, everyone))
    assert {booked for _, _, booked, _ in db.read(hosts.books)} == {(0, 0, 0, 0)}


def test_the_last_address(db: Database) -> None:
    net = network(cidr="10.0.0.0/27")
    db.run(lambda tx: networks.insert(tx, net))

    def take(tx: Tx, _: int) -> str:
        want = AddressWant(
            instance_id=ids.new_uuid(), vif_id=ids.new_uuid(), mac=ids.new_mac(), network_id=net.id
        )  # type: ignore[arg-type]
        try:
            return fixed_ips.allocate(tx, [want])[want.vif_id][0]
        except NoMoreAddresses:
            return ""

    got = race(db, take) + race(db, take)
    assert got.count("") == 2 * RACERS - 30
    assert len(set(got)) == 31
    holders = db.read(lambda tx: fixed_ips.of_networks(tx, [net.id]))
    race(
        db,
        lambda tx, n: fixed_ips.release(tx, [ip.instance_id for ip in holders[n::RACERS] if ip.instance_id]),
    )
    again = race(db, take) + race(db, take)
    assert len(set(again) - {""}) == 30


def test_a_host_for_one_member_only(db: Database) -> None:
    for policy, winners in (("anti-affinity", 2), ("affinity", 1)):
        group = ServerGroup(id=ids.new_uuid(), name="g", policy=policy, project_id="p1", user_id="u1")  # type: ignore[arg-type]
        members = [ids.new_uuid() for _ in range(RACERS)]
        db.run(lambda tx, g=group: server_groups.insert(tx, g))
        race(db, lambda tx, n, g=group, m=members: server_groups.join(tx, g.id, [m[n]]))  # type: ignore[list-item]
        got = race(
            db,
            lambda tx, n, g=group, m=members: server_groups.join_hosts(tx, g, [(m[n], f"h{n % 2}")]),  # type: ignore[list-item]
        )
        seated = db.read(lambda tx, g=group: server_groups.hosts_of(tx, g.id))
        if policy == "anti-affinity":
            assert seated == {"h0": 1, "h1": 1}
            assert sum(map(len, got)) == winners
        else:
            assert len(seated) == winners
            assert sum(map(len, got)) == RACERS // 2


def test_the_last_place_of_a_group(db: Database) -> None:
    group = ServerGroup(id=ids.new_uuid(), name="g", policy="affinity", project_id="p1", user_id="u1")  # type: ignore[arg-type]
    db.run(lambda tx: server_groups.insert(tx, group))
    got = race(db, lambda tx, n: server_groups.join(tx, group.id, [ids.new_uuid()], limit=3))  # type: ignore[list-item]
    assert got.count(True) == 3


def test_the_last_rule_of_a_security_group(db: Database) -> None:
    group = SecurityGroup(id=ids.new_uuid(), name="g", project_id="p1", description="")  # type: ignore[arg-type]
    db.run(lambda tx: security_groups.insert(tx, group))

    def add(tx: Tx, number: int) -> bool:
        found = security_groups.locked(tx, group.id)
        assert found is not None
        if len(found.rules) >= 3:
            return False
        rule = SecurityRule(id=ids.new_uuid(), protocol="tcp", from_port=number, to_port=number)
        security_groups.add_rules(tx, group.id, [rule])
        return True

    assert race(db, add).count(True) == 3
    assert len(db.read(lambda tx: security_groups.get(tx, [group.id]))[0].rules) == 3


def test_a_group_that_goes_takes_a_rule_that_comes_with_it(db: Database) -> None:
    groups = [
        SecurityGroup(id=ids.new_uuid(), name=f"g{n}", project_id="p1", description="")  # type: ignore[arg-type]
        for n in range(RACERS // 2)
    ]
    db.run(lambda tx: [security_groups.insert(tx, group) for group in groups])

    def work(tx: Tx, number: int) -> str:
        group = groups[number // 2]
        if security_groups.locked(tx, group.id) is None:
            return ""
        if number % 2:
            security_groups.delete(tx, group.id)
            return ""
        rule = SecurityRule(id=ids.new_uuid(), protocol="tcp", from_port=1, to_port=1)
        security_groups.add_rules(tx, group.id, [rule])
        return rule.id

    added = [rule for rule in race(db, work) if rule]
    assert [db.read(lambda tx, r=rule: security_groups.group_of_rule(tx, r)) for rule in added] == [
        None for _ in added
    ]


def test_the_last_address_that_a_project_may_hold(db: Database) -> None:
    net = network()
    guests = [instance() for _ in range(RACERS)]
    db.run(lambda tx: (networks.insert(tx, net), instances.insert(tx, guests)))

    def take(tx: Tx, number: int) -> bool:
        quotas.hold(tx, "p1")
        if fixed_ips.count_of(tx, "p1") >= 3:  # type: ignore[arg-type]
            return False
        want = AddressWant(
            instance_id=guests[number].id, vif_id=ids.new_uuid(), mac=ids.new_mac(), network_id=net.id
        )  # type: ignore[arg-type]
        fixed_ips.allocate(tx, [want])
        return True

    assert race(db, take).count(True) == 3
    assert db.read(lambda tx: fixed_ips.count_of(tx, "p1")) == 3  # type: ignore[arg-type]


def test_ranges_are_decided_on_by_one_at_a_time(db: Database) -> None:
    def make(tx: Tx, number: int) -> bool:
        networks.hold_all(tx)
        if networks.all_networks(tx):
            return False
        networks.insert(tx, network(label=f"n{number}"))
        return True

    assert race(db, make).count(True) == 1


def test_only_one_swap_wins(db: Database) -> None:
    some = [instance() for _ in range(8)]
    db.run(lambda tx: instances.insert(tx, some))

    def swap(tx: Tx, number: int) -> set[str]:
        order = some if number % 2 else some[::-1]
        swaps = [
            Swap(id=one.id, expect_vm=frozenset({Vm.BUILDING}), vm=Vm.ACTIVE, host=f"h{number}-{n}")  # type: ignore[arg-type]
            for n, one in enumerate(order)
        ]
        return set(instances.swap(tx, swaps))

    got = race(db, swap)
    assert sorted(map(len, got))[:-1] == [0] * (RACERS - 1) or sum(map(len, got)) == len(some)
    assert sum(map(len, got)) == len(some)


def test_a_workflow_is_taken_by_one(db: Database) -> None:
    db.run(lambda tx: workflows.insert(tx, [workflow() for _ in range(40)]))
    got = race(db, lambda tx, n: [row.id for row in workflows.take(tx, f"owner{n}", 10)])
    taken = [row for some in got for row in some]
    assert len(taken) == len(set(taken))
    assert len(taken) + len(db.run(lambda tx: workflows.take(tx, "last", 100))) == 40


def test_numbers_and_default_groups_are_made_once(db: Database) -> None:
    uuids = [ids.new_uuid() for _ in range(5)]
    numbers = race(db, lambda tx, _: ec2_ids.numbers(tx, "instance", uuids))
    assert all(one == numbers[0] for one in numbers)
    groups = race(db, lambda tx, _: security_groups.resolve(tx, "p1", ["default"]))  # type: ignore[arg-type]
    assert all(one == groups[0] for one in groups)


def test_the_feed_misses_no_change(db: Database) -> None:
    names = [f"h{n}" for n in range(8)]
    db.run(
        lambda tx: hosts.report(
            tx, [inventory(name, ram_mb=1 << 30, vcpus=10_000, disk_gb=1 << 20) for name in names]
        )
    )
    known = dict.fromkeys(names, 0)
    positions = [0]
    done = threading.Event()

    def look() -> None:
        snapshot = host_feed.host_views(db, positions[-1])
        known.update({view.host: view.instances for view in snapshot.hosts})
        positions.append(snapshot.position)

    def follow() -> None:
        while not done.wait(0.002):
            look()

    follower = threading.Thread(target=follow)
    follower.start()

    def claim(tx: Tx, number: int) -> None:
        host = names[number % 8]
        one = Claim(instance_id=ids.new_uuid(), host=host, node=host, vcpus=1, ram_mb=1, disk_gb=1)  # type: ignore[arg-type]
        hosts.claim(tx, [one], first_time=True)

    try:
        for _ in range(6):
            race(db, claim, 8)
    finally:
        done.set()
        follower.join(30)
    look()
    assert positions == sorted(positions)
    assert known == dict.fromkeys(names, 6)


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_one_host_takes_a_network_and_one_default_group_is_made(db: Database, round_: int) -> None:
    net = network(label=f"n{round_}")
    db.run(lambda tx: networks.insert(tx, net))

    def work(tx: Tx, number: int) -> tuple[bool, str]:
        taken = networks.take(tx, net, f"h{number}")
        return taken, security_groups.resolve(tx, "p1", ["default"])["default"]

    results = race(db, work)
    assert sum(taken for taken, _ in results) == 1
    (group_id,) = {group for _, group in results}
    (group,) = db.read(lambda tx: security_groups.get(tx, [group_id]))
    assert [rule.source_group_id for rule in group.rules] == [group_id]


class InUse(Exception):
    """A group that cannot be deleted."""


def deleted(db: Database, group: SecurityGroup) -> bool:
    """Delete a group unless it is in use, as the conductor does; tell whether it is gone."""

    def work(tx: Tx) -> bool:
        found = security_groups.delete(tx, group.id)
        if security_groups.in_use(tx, group.id):
            raise InUse
        return found

    try:
        return db.run(work)
    except InUse:
        return False


def join(tx: Tx, group: SecurityGroup) -> bool:
    """Make an instance that a group guards, if it can be held."""
    if not security_groups.hold(tx, [group.id]):
        return False
    made = instance()
    instances.insert(tx, [made])
    security_groups.join(tx, [(group.id, made.id)])
    return True


PAUSE_S = 0.5
"""A chance for the other side; where writers take turns it comes only afterwards."""


def test_nobody_joins_a_security_group_that_was_deleted_meanwhile(db: Database) -> None:
    """A create looks a group up, the group goes, the create goes on: it must meet that."""
    group = SecurityGroup(id=ids.new_uuid(), name="g", project_id=ProjectId("p"))
    db.run(lambda tx: security_groups.insert(tx, group))
    looked, gone = threading.Event(), threading.Event()
    joined: list[bool] = []

    def boot(tx: Tx) -> bool:
        found = security_groups.resolve(tx, group.project_id, [group.name])
        looked.set()
        gone.wait(PAUSE_S)
        return bool(found) and join(tx, group)

    booting = threading.Thread(target=lambda: joined.append(db.run(boot)))
    booting.start()
    assert looked.wait(30)
    went = deleted(db, group)
    gone.set()
    booting.join(60)
    assert joined == [not went]


def test_a_security_group_that_is_being_joined_is_in_use(db: Database) -> None:
    """The delete waits for the create that holds the group, and then sees its member."""
    group = SecurityGroup(id=ids.new_uuid(), name="g", project_id=ProjectId("p"))
    db.run(lambda tx: security_groups.insert(tx, group))
    joined, over = threading.Event(), threading.Event()

    def boot(tx: Tx) -> None:
        assert join(tx, group)
        joined.set()
        over.wait(PAUSE_S)

    booting = threading.Thread(target=lambda: db.run(boot))
    booting.start()
    assert joined.wait(30)
    assert not deleted(db, group)
    over.set()
    booting.join(60)
    assert db.read(lambda tx: security_groups.get(tx, [group.id]))
