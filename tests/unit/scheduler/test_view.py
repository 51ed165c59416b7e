"""The scheduler's view: positions, holds, ages; on a clock that stands still."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest

from nova.clock import Clock, StoppedClock
from nova.conf.scheduler import SchedulerOptions
from nova.errors.rpc import NoAnswer
from nova.objects.host import HostSnapshot, HostView
from nova.scheduler.view import View
from tests.support.eventually import eventually
from tests.support.scheduling import aggregate, flavor, request, view

TWO = flavor(vcpus=2)


class Source:
    """Answers with what it was given, if that is news to whoever asks; notes what it was asked."""

    def __init__(self, snapshot: HostSnapshot) -> None:
        self.snapshot = snapshot
        self.asked: list[int | None] = []
        self.away = False
        self.reached = threading.Event()
        self._goes_on = threading.Event()
        self._goes_on.set()

    @contextmanager
    def slow(self) -> Iterator[None]:
        """Answer nobody before the end of this."""
        self._goes_on.clear()
        try:
            yield
        finally:
            self._goes_on.set()

    def __call__(self, since: int | None) -> HostSnapshot:
        self.asked.append(since)
        self.reached.set()
        self._goes_on.wait(10)
        if self.away:
            raise NoAnswer(part="conductor")
        if since is None or since < self.snapshot.position:
            return self.snapshot
        return delta(since)


def whole(position: int, *hosts: HostView) -> HostSnapshot:
    return HostSnapshot(position=position, hosts=hosts, aggregates=())


def delta(position: int, *hosts: HostView, **more: object) -> HostSnapshot:
    return HostSnapshot(position=position, hosts=hosts, whole=False, **more)


class Stage:
    def __init__(self, *hosts: HostView, **options: object) -> None:
        self.clock = StoppedClock()
        self.source = Source(whole(5, *hosts))
        settings = msgspec.structs.replace(SchedulerOptions(), **options)
        self.view = View(self.source, settings, self.clock, random.Random(1))
        self.woken = 0
        self.view.wake = self._wake
        self.view.refresh()
        self.source.reached.clear()

    def _wake(self) -> None:
        self.woken += 1

    def hosts(self, name: str = "r", **facts: object) -> list[str]:
        return [c.host for c in self.view.select([request(name=name, **facts)])[0].choices]


def test_an_own_decision_counts_until_the_claim_is_seen() -> None:
    stage = Stage(view("a", vcpus=3, generation=7))
    assert stage.hosts(flavor=TWO) == ["a"]
    assert stage.hosts(flavor=TWO) == []
    # The same generation again, for another reason: the claim is still under way.
    stage.view.hear(delta(6, view("a", vcpus=3, generation=7, zone="east")))
    assert stage.hosts(flavor=TWO) == []
    assert stage.hosts(flavor=flavor(vcpus=1)) == ["a"]
    # The claim failed and something else changed the host.
    stage.view.hear(delta(7, view("a", vcpus=3, generation=8)))
    assert stage.hosts(flavor=TWO) == ["a"]
    stage.view.hear(delta(8, view("a", vcpus=3, generation=9, used_vcpus=2)))
    assert stage.hosts(flavor=TWO) == []


def test_a_claim_that_never_came_is_forgotten() -> None:
    stage = Stage(view("a", vcpus=2), hold_time=15.0, view_stale_after=100.0, view_max_age=100.0)
    assert stage.hosts(flavor=TWO) == ["a"]
    stage.clock.advance(14.9)
    assert stage.hosts(flavor=TWO) == []
    stage.clock.advance(0.2)
    assert stage.hosts(flavor=TWO) == ["a"]


def test_a_whole_snapshot_keeps_what_is_under_way() -> None:
    stage = Stage(view("a", vcpus=2), view("b", vcpus=2))
    first = stage.hosts(flavor=TWO)
    stage.view.hear(whole(9, view("b", vcpus=2), view("a", vcpus=2), view("c", vcpus=1)))
    assert {*first, *stage.hosts(flavor=TWO)} == {"a", "b"}
    assert stage.hosts(flavor=TWO) == []
    stage.view.hear(delta(10, gone=(("a", "a"), ("b", "b"))))
    assert stage.hosts() == ["c"]


def test_old_news_are_left_out_and_missing_news_asked_for() -> None:
    stage = Stage(view("a"), view_stale_after=100.0, view_max_age=100.0)
    stage.view.hear(delta(4, view("a", up=False)))
    assert stage.hosts() == ["a"]
    stage.view.hear(delta(7, view("a", up=False)))
    assert stage.woken == 1
    stage.source.snapshot = delta(7, view("a", up=False), view("b"))
    stage.clock.advance(0.1)
    stage.view.keep()
    assert stage.source.asked == [None, 5]
    assert stage.hosts() == ["b"]
    stage.view.hear(delta(8, view("a")))
    assert stage.woken == 1
    assert stage.view.table.position == 8


def test_nothing_is_decided_on_a_view_that_is_known_to_lack_something() -> None:
    """A host that was just disabled: the conductor told of it before it answered whoever disabled it."""
    stage = Stage(view("a"), view("b", used_ram_mb=1))
    stage.source.snapshot = delta(6, view("a", enabled=False))
    stage.view.hear(delta(1 << 62))
    assert stage.hosts() == ["b"]
    assert stage.source.asked == [None, 5]


def test_nothing_is_decided_while_what_is_lacking_is_on_its_way() -> None:
    stage = Stage(view("a"), view("b", used_ram_mb=1))
    stage.source.snapshot = delta(6, view("a", enabled=False))
    stage.view.hear(delta(1 << 62))
    found: list[list[str]] = []
    with stage.source.slow():
        keeping = threading.Thread(target=stage.view.keep)
        keeping.start()
        assert stage.source.reached.wait(10)
        deciding = threading.Thread(target=lambda: found.append(stage.hosts()))
        deciding.start()
        deciding.join(0.2)
    keeping.join(10)
    deciding.join(10)
    assert found == [["b"]]


def test_news_of_aggregates_hold_for_hosts_that_did_not_change() -> None:
    groups = (aggregate(1, ("a",), ssd="yes"),)
    stage = Stage(view("a", aggregates=(1,)), enabled_filters=("AggregateInstanceExtraSpecsFilter",))
    asked = {"flavor": flavor(ssd="yes")}
    assert stage.hosts(**asked) == []
    stage.view.hear(delta(6, aggregates=groups))
    assert stage.hosts(**asked) == ["a"]


@pytest.mark.parametrize(("age", "asks"), [(4.9, False), (5.1, True)])
def test_an_old_view_is_brought_up_to_date_first(age: float, asks: bool) -> None:
    stage = Stage(view("a"))
    stage.source.snapshot = delta(6, view("a", up=False), view("b"))
    stage.clock.advance(age)
    assert stage.hosts() == (["b"] if asks else ["a"])


def test_no_host_is_said_only_of_a_view_younger_than_the_question() -> None:
    """A host that came up a moment ago, as its operator saw, is not called down."""
    stage = Stage(view("a", vcpus=1))
    stage.source.snapshot = delta(6, view("b", vcpus=16))
    small, large = stage.view.select([request(name="s"), request(name="l", flavor=flavor(vcpus=8))])
    assert small.choices
    assert [c.host for c in large.choices] == ["b"]
    assert stage.source.asked == [None, 5]


def test_a_request_that_lost_its_host_is_answered_on_a_fresh_view() -> None:
    stage = Stage(view("a"), view("b", used_ram_mb=1), view("c", used_ram_mb=2))
    stage.source.snapshot = delta(6, view("b", up=False))
    stage.clock.advance(1.1)
    assert stage.hosts(excluded=("a",)) == ["c"]


def test_an_old_view_is_better_than_none_but_none_is_an_error() -> None:
    stage = Stage(view("a"))
    stage.source.away = True
    stage.clock.advance(60)
    assert stage.hosts() == ["a"]
    empty = View(stage.source, SchedulerOptions(), stage.clock, random.Random(1))
    with pytest.raises(NoAnswer):
        empty.select([request()])


def test_nobody_is_told_no_while_the_conductor_is_away() -> None:
    """The claim of the server that has a host comes after all, and must not meet what was held before."""
    stage = Stage(view("a", vcpus=2), hold_time=1000.0)
    stage.source.away = True
    stage.clock.advance(60)
    both = [request(name="l", flavor=flavor(vcpus=8)), request(name="s", flavor=TWO)]
    for _ in range(3):
        with pytest.raises(NoAnswer):
            stage.view.select(both)
    stage.source.away = False
    stage.source.snapshot = delta(6, view("b", vcpus=8))
    assert all(decision.choices for decision in stage.view.select(both))


def test_those_who_wait_together_for_a_conductor_that_is_away_wait_once() -> None:
    source = Source(whole(5, view("a")))
    seen = View(
        source, msgspec.structs.replace(SchedulerOptions(), view_stale_after=0.0), Clock(), random.Random(1)
    )
    seen.refresh()
    source.away = True
    asked = len(source.asked)
    decided = []

    def decide() -> None:
        decided.extend(seen.select([request()]))

    with source.slow():
        callers = [threading.Thread(target=decide) for _ in range(8)]
        for caller in callers:
            caller.start()
        eventually(lambda: len(source.asked) > asked)
    for caller in callers:
        caller.join(10)
    assert [c.host for decision in decided for c in decision.choices] == ["a"] * 8
    assert len(source.asked) - asked <= 2


def test_asks_each_second_while_busy_seldom_while_idle_and_for_all_each_minute() -> None:
    stage = Stage(view("a"), view_whole_interval=60.0)
    stage.source.snapshot = delta(5)
    stage.hosts()
    for _ in range(11):
        stage.clock.advance(1)
        stage.view.keep()
    assert len(stage.source.asked) >= 11
    idle = len(stage.source.asked)
    for _ in range(40):
        stage.clock.advance(1)
        stage.view.keep()
    assert 4 <= len(stage.source.asked) - idle <= 5
    assert None not in stage.source.asked[1:]
    for _ in range(20):
        stage.clock.advance(1)
        stage.view.keep()
    assert None in stage.source.asked[1:]
