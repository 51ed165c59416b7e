"""Hosts: claims within capacity, books that balance, and a feed that loses nothing."""

from __future__ import annotations

import datetime
import threading

import msgspec
import pytest

from nova import ids
from nova.db import aggregates, host_feed, hosts, services
from nova.db.engine import Database
from nova.db.hosts import Claim
from nova.errors.database import Duplicate
from nova.objects.host import Aggregate, HostSnapshot, ServiceBeat
from nova.objects.ids import InstanceId
from tests.contract.db.makers import ShownClock, at, inventory


def claim(host: str, **values: object) -> Claim:
    made = {
        "instance_id": ids.new_uuid(),
        "host": host,
        "node": host,
        "vcpus": 1,
        "ram_mb": 1024,
        "disk_gb": 1,
    }
    return Claim(**(made | values))  # type: ignore[arg-type]


def report(db: Database, *names: str, **values: object) -> None:
    db.run(lambda tx: hosts.report(tx, [inventory(name, **values) for name in names]))


def used(db: Database) -> dict[str, tuple[int, ...]]:
    books = db.read(hosts.books)
    assert all(booked == real for _, _, booked, real in books)
    return {host: booked for host, _, booked, _ in books}


def test_a_report_that_says_nothing_new_writes_nothing(db: Database) -> None:
    report(db, "h1", "h2")
    assert db.run(lambda tx: hosts.report(tx, [inventory("h1"), inventory("h3")])) == 1
    before = db.statements
    assert db.run(lambda tx: hosts.report(tx, [inventory("h1")])) == 0
    assert db.statements - before == 1
    found = db.read(hosts.hypervisors)
    assert [h.inventory for h in found] == [inventory("h1"), inventory("h2"), inventory("h3")]
    assert len({h.number for h in found}) == 3


def test_a_claim_takes_what_fits(db: Database) -> None:
    report(db, "h1", cpu_ratio=2.0)
    assert db.run(lambda tx: hosts.claim(tx, [claim("h1", vcpus=8, ram_mb=8192, disk_gb=100)]))
    for over in ({"vcpus": 1}, {"ram_mb": 1}, {"disk_gb": 1}):
        nothing = {"vcpus": 0, "ram_mb": 0, "disk_gb": 0}
        assert not db.run(lambda tx, o=over, n=nothing: hosts.claim(tx, [claim("h1", **(n | o))]))
    assert used(db) == {"h1": (8, 8192, 100, 1)}
    assert db.run(lambda tx: hosts.claim(tx, [claim("h1", forced=True)]))
    assert used(db) == {"h1": (9, 9216, 101, 2)}


def test_claiming_and_releasing_twice_is_once(db: Database) -> None:
    report(db, "h1")
    one = claim("h1")
    for _ in range(2):
        assert db.run(lambda tx: hosts.claim(tx, [one])) == {one.instance_id}
    assert used(db) == {"h1": (1, 1024, 1, 1)}
    assert len(db.run(lambda tx: hosts.release(tx, [one.instance_id]))) == 1
    assert db.run(lambda tx: hosts.release(tx, [one.instance_id])) == []
    assert used(db) == {"h1": (0, 0, 0, 0)}


def test_many_claims_on_many_hosts_are_few_statements(db: Database) -> None:
    names = [f"h{n}" for n in range(20)]
    report(db, *names)
    claims = [claim(names[n % 20]) for n in range(60)]
    before = db.statements
    won = db.run(lambda tx: hosts.claim(tx, claims, first_time=True))
    assert (len(won), db.statements - before) == (60, 2)
    assert set(used(db).values()) == {(3, 3072, 3, 3)}
    before = db.statements
    db.run(lambda tx: hosts.release(tx, [c.instance_id for c in claims]))
    assert db.statements - before == 3
    assert set(used(db).values()) == {(0, 0, 0, 0)}


def test_of_many_claims_those_that_fit_are_won(db: Database) -> None:
    report(db, "h1", "h2", "h3")
    report(db, "h3", vcpus=0)
    claims = [claim("h1") for _ in range(6)] + [claim("h2") for _ in range(4)] + [claim("h3"), claim("h9")]
    won = db.run(lambda tx: hosts.claim(tx, claims))
    assert won == {c.instance_id for c in (*claims[:4], *claims[6:10])}
    assert used(db)["h1"] == (4, 4096, 4, 4)


def test_a_host_of_one_of_two_claims_is_released_alone(db: Database) -> None:
    report(db, "h1", "h2")
    one = claim("h1")
    there = msgspec.structs.replace(one, host="h2", node="h2")
    db.run(lambda tx: hosts.claim(tx, [one]))
    db.run(lambda tx: hosts.claim(tx, [there]))
    assert [a.host for a in db.run(lambda tx: hosts.release(tx, [one.instance_id], "h1"))] == ["h1"]
    assert used(db) == {"h1": (0, 0, 0, 0), "h2": (1, 1024, 1, 1)}


def feed(db: Database, since: int = 0) -> HostSnapshot:
    return host_feed.host_views(db, since)


def test_the_feed_tells_what_changed(db: Database) -> None:
    report(db, "h1", "h2", "h3")
    whole = feed(db)
    assert whole.whole and [h.host for h in whole.hosts] == ["h1", "h2", "h3"]
    assert feed(db, whole.position).hosts == ()
    db.run(lambda tx: hosts.claim(tx, [claim("h2")]))
    db.run(lambda tx: hosts.adjust(tx, [("h2", "h2", 2, 1), ("h2", "h2", -1, 0)]))
    delta = feed(db, whole.position)
    assert [(h.host, h.used_ram_mb, h.io_ops, h.failed_builds) for h in delta.hosts] == [("h2", 1024, 1, 1)]
    assert not delta.whole and delta.aggregates is None
    assert [h.host for h in feed(db, whole.position).hosts] == ["h2"]
    db.run(lambda tx: hosts.remove(tx, "h1"))
    later = feed(db, delta.position)
    assert (later.gone, later.hosts) == ((("h1", "h1"),), ())
    assert [h.host for h in feed(db).hosts] == ["h2", "h3"]
    report(db, "h1")
    assert [h.host for h in feed(db, later.position).hosts] == ["h1"]


def test_claims_do_not_wait_for_a_reader_of_the_feed(db: Database) -> None:
    """A view of thousands of hosts takes a while to read; it holds no row meanwhile."""
    report(db, "h1", "h2")
    claimed: list[set[InstanceId]] = []

    def watch(text: str) -> None:
        if "inventory" in text and text.startswith("SELECT") and not claimed:
            claimed.append(set())
            one = claim("h1")
            other = threading.Thread(
                target=lambda: claimed.append(db.run(lambda tx: hosts.claim(tx, [one], first_time=True)))
            )
            other.start()
            other.join(20)
            assert not other.is_alive()

    db.observer = watch
    whole = feed(db)
    db.observer = None
    assert len(claimed) == 2 and len(claimed[1]) == 1
    # Whether it was seen already or not: the next reader is told.
    assert [h.instances for h in feed(db, whole.position).hosts if h.host == "h1"] == [1]


def test_the_feed_asks_who_lives(db: Database, clock: ShownClock) -> None:
    report(db, "h1", "h2", "h3")
    clock.show(5)
    beats = [ServiceBeat(host=host, binary="nova-compute") for host in ("h1", "h2")]
    db.run(lambda tx: services.beat(tx, beats))
    asked = {}

    def lives(host: str, seen: datetime.datetime | None) -> bool:
        asked[host] = seen
        return host == "h2"

    found = host_feed.host_views(db, lives=lives)
    assert asked == {"h1": at(5), "h2": at(5), "h3": None}
    assert {h.host: h.up for h in found.hosts} == {"h1": False, "h2": True, "h3": False}


def test_the_feed_shows_zones_and_services(db: Database) -> None:
    report(db, "h1", "h2")
    start = feed(db).position
    db.run(lambda tx: services.beat(tx, [ServiceBeat(host="h1", binary="nova-compute")]))
    service = db.read(lambda tx: services.find(tx, "h1", "nova-compute"))
    assert service is not None

    def change() -> None:
        with db.tx() as tx:
            made = aggregates.insert(
                tx,
                Aggregate(
                    id=0, uuid=ids.new_uuid(), name="a", hosts=("h1",), metadata={"availability_zone": "z"}
                ),
            )
            assert made.id > 0
            services.update(tx, msgspec.structs.replace(service, disabled=True, disabled_reason="x"))
            hosts.touch(tx, ["h1"])
            host_feed.aggregates_changed(tx)

    change()
    delta = feed(db, start)
    assert [(h.host, h.zone, h.enabled, len(h.aggregates)) for h in delta.hosts] == [("h1", "z", False, 1)]
    assert delta.aggregates is not None and delta.aggregates[0].hosts == ("h1",)
    assert feed(db, delta.position).aggregates is None


def test_hundreds_of_beats_are_one_statement(db: Database, clock: ShownClock) -> None:
    beats = [ServiceBeat(host=f"h{n}", binary="nova-compute", topic="compute", version=3) for n in range(300)]
    assert len(db.run(lambda tx: services.beat(tx, beats))) == 300
    before = db.statements
    clock.show(10)
    assert db.once(lambda tx: services.beat(tx, beats)) == []
    assert db.statements - before == 1
    found = db.read(lambda tx: services.all_services(tx, "nova-compute"))
    assert {(s.beats, s.seen_at, s.version) for s in found} == {(2, at(10), 3)}
    pulses = db.read(services.pulses)
    assert {p.host for p in pulses} == {f"h{n}" for n in range(300)}
    assert {p[1:] for p in pulses} == {("nova-compute", 2, False)}


def test_services_are_found_changed_and_removed(db: Database) -> None:
    db.run(lambda tx: services.beat(tx, [ServiceBeat(host="h1", binary="nova-scheduler")]))
    found = db.read(services.all_services)[0]
    assert db.read(lambda tx: services.by_number(tx, found.number)) == found
    assert db.read(lambda tx: services.get(tx, found.id)) == found
    assert db.read(lambda tx: services.of_hosts(tx, ["h1", "h2"])) == [found]
    forced = msgspec.structs.replace(found, forced_down=True)
    assert db.run(lambda tx: services.update(tx, forced))
    shown = db.read(lambda tx: services.get(tx, found.id))
    assert shown is not None and shown.forced_down
    assert db.read(services.pulses) == [("h1", "nova-scheduler", 1, True)]
    assert db.run(lambda tx: services.delete(tx, found.id))
    assert not db.run(lambda tx: services.delete(tx, found.id))


def test_aggregates_have_one_name_each(db: Database) -> None:
    def make(name: str) -> Aggregate:
        return db.run(lambda tx: aggregates.insert(tx, Aggregate(id=0, uuid=ids.new_uuid(), name=name)))

    one = make("a")
    with pytest.raises(Duplicate):
        make("a")
    changed = db.run(
        lambda tx: aggregates.edit(tx, one.id, lambda a: msgspec.structs.replace(a, hosts=("h1",), name="b"))
    )
    assert changed == db.read(lambda tx: aggregates.get(tx, one.id))
    assert db.read(aggregates.all_aggregates) == [changed]
    assert db.run(lambda tx: aggregates.delete(tx, one.id))
    assert db.run(lambda tx: aggregates.edit(tx, one.id, lambda a: a)) is None
