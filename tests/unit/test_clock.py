"""How old what was written down is, on a wall clock that is set meanwhile."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova.clock import Clock, StoppedClock

HOUR = 3600.0


@pytest.mark.parametrize("jump", [HOUR, -HOUR, 30.0])
def test_ages_do_not_change_when_the_clock_is_set(jump: float) -> None:
    clock = StoppedClock()
    clock.look()
    clock.advance(500)
    written = clock.now()
    clock.advance(100)
    clock.look()
    clock.jump(jump)
    clock.advance(50)
    assert clock.age_s(written) == pytest.approx(150)
    after = clock.now()
    clock.advance(7)
    assert clock.age_s(after) == pytest.approx(7)


def test_what_is_older_than_the_process_is_older_by_as_much() -> None:
    clock = StoppedClock()
    written = clock.now()
    clock.advance(60)
    clock.look()
    clock.jump(HOUR)
    assert clock.age_s(written) == pytest.approx(60)


def test_others_may_be_ahead_a_little_after_the_clock_was_set_back() -> None:
    clock = StoppedClock()
    clock.look()
    clock.advance(2 * HOUR)
    clock.jump(-HOUR)
    ahead = clock.now()
    clock.jump(-3)
    clock.look()
    assert clock.age_s(ahead) == pytest.approx(-3)


class SlowToAsk(StoppedClock):
    """Time passes between two questions, as where many threads are at work."""

    delay_s = 0.2

    def now(self) -> datetime.datetime:
        shown = super().now()
        self.advance(self.delay_s)
        return shown


def test_what_was_written_just_before_the_clock_was_set_is_young() -> None:
    clock = SlowToAsk()
    clock.look()
    clock.delay_s = 0.0
    clock.advance(10)
    written = clock.now()
    clock.jump(-HOUR)
    assert clock.age_s(written) == pytest.approx(0, abs=1)


def test_small_steps_do_not_count_as_set() -> None:
    clock = StoppedClock()
    clock.look()
    clock.jump(0.9)
    assert clock.set_by_s() == 0.0


def test_the_real_clock() -> None:
    clock = Clock()
    assert 0 <= clock.age_s(clock.now()) < 5
    assert clock.set_by_s() == 0.0


@given(
    st.lists(st.tuples(st.floats(1, 900), st.floats(-7200, 7200).filter(lambda s: abs(s) > 2)), max_size=80)
)
def test_what_was_written_since_the_clock_was_set_last_has_its_age(moves: list[tuple[float, float]]) -> None:
    clock = StoppedClock()
    off = [0.0]
    for wait, jump in moves:
        clock.look()
        clock.advance(wait)
        clock.look()
        clock.jump(jump)
        off.append(off[-1] + jump)
        written = clock.now()
        clock.advance(4.0)
        clock.look()
        clock.advance(wait)
        assert clock.age_s(written) == pytest.approx(wait + 4, abs=1e-3)
    if len(moves) < 40:
        assert clock.set_by_s() == pytest.approx(max(off) - min(off), abs=1e-3)
