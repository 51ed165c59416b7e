"""Who lives: counters that grow, on our own monotonic clock."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nova.clock import StoppedClock
from nova.conductor.liveness import Liveness, Pulse


def test_a_counter_that_stands_still_is_dead_after_its_bound() -> None:
    clock = StoppedClock()
    pulse = Pulse[str](clock, 10.0)
    pulse.observe([("a", 1), ("b", 1)], whole=True)
    clock.advance(6.0)
    pulse.observe([("a", 2), ("b", 1)], whole=True)
    clock.advance(6.0)
    assert pulse.is_alive("a")
    assert not pulse.is_alive("b")
    assert pulse.dead() == ["b"]
    pulse.observe([("a", 2), ("b", 2)], whole=True)
    assert pulse.is_alive("b")


def test_one_never_seen_is_what_the_caller_says() -> None:
    pulse = Pulse[str](StoppedClock(), 10.0)
    assert not pulse.is_alive("a")
    assert pulse.is_alive("a", unknown=True)


def test_a_jump_of_the_wall_clock_changes_nothing() -> None:
    clock = StoppedClock()
    pulse = Pulse[str](clock, 10.0)
    pulse.observe([("a", 1)], whole=True)
    for jump in (3600.0, -7200.0):
        clock.jump(jump)
        assert pulse.is_alive("a")
        assert pulse.dead() == []


def test_what_is_not_in_a_whole_look_is_gone_and_what_is_forgotten_too() -> None:
    pulse = Pulse[str](StoppedClock(), 10.0)
    pulse.observe([("a", 1), ("b", 1)], whole=True)
    pulse.observe([("c", 1)], whole=False)
    assert pulse.is_alive("a") and pulse.is_alive("c")
    pulse.observe([("b", 2), ("c", 2)], whole=True)
    assert not pulse.is_alive("a")
    pulse.forget("b")
    pulse.forget("b")
    assert not pulse.is_alive("b")


def test_a_counter_that_fell_back_is_a_daemon_that_started_anew() -> None:
    clock = StoppedClock()
    pulse = Pulse[str](clock, 10.0)
    pulse.observe([("a", 100)], whole=True)
    clock.advance(11.0)
    pulse.observe([("a", 1)], whole=True)
    assert pulse.is_alive("a")


def test_a_service_without_a_host_is_down() -> None:
    liveness = Liveness(StoppedClock(), service_down_s=60.0, lease_s=6.0)
    liveness.services.observe([(("one", "nova-compute"), 1)], whole=True)
    assert liveness.is_up("one")
    assert not liveness.is_up("one", "nova-network")
    assert not liveness.is_up("two")
    assert not liveness.is_up(None)


@given(st.lists(st.tuples(st.floats(0.0, 4.0), st.booleans()), max_size=40))
def test_alive_means_grown_within_the_bound(beats: list[tuple[float, bool]]) -> None:
    clock = StoppedClock()
    pulse = Pulse[str](clock, 5.0)
    count, grown_at = 1, clock.monotonic()
    pulse.observe([("a", count)], whole=True)
    for pause, grows in beats:
        clock.advance(pause)
        if grows:
            count, grown_at = count + 1, clock.monotonic()
        pulse.observe([("a", count)], whole=True)
        assert pulse.is_alive("a") == (clock.monotonic() - grown_at <= 5.0)
        assert (pulse.dead() == []) == pulse.is_alive("a")
