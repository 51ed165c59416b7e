"""Loops come again, one run at a time, whatever a run raises."""

from __future__ import annotations

import threading

import pytest

from nova.errors import Unavailable
from nova.loops import Loops
from tests.support.eventually import eventually


@pytest.fixture
def loops():
    made = Loops("test", workers=2)
    yield made
    made.stop(5)


def test_a_loop_runs_again_and_again(loops: Loops) -> None:
    runs: list[int] = []
    loop = loops.add("count", lambda: runs.append(1) or len(runs), 0.01)
    loops.start()
    eventually(lambda: len(runs) > 3)
    state = loop.state
    assert state.runs >= 2 and state.failures == 0 and state.error is None and state.started_at is not None
    assert int(state.result or "0") >= 1


def test_a_wake_up_makes_it_run_sooner(loops: Loops) -> None:
    runs: list[int] = []
    loop = loops.add("rare", lambda: runs.append(1), 3600)
    loops.start()
    eventually(lambda: runs)
    eventually(lambda: not loop.running)
    loop.wake()
    eventually(lambda: len(runs) == 2)


def test_one_run_at_a_time_and_one_more_after_a_wake_up_meanwhile(loops: Loops) -> None:
    gate, running, most = threading.Event(), [], []

    def run() -> None:
        running.append(1)
        most.append(len(running))
        gate.wait(5)
        running.pop()

    loop = loops.add("slow", run, 3600)
    loops.start()
    eventually(lambda: running)
    for _ in range(5):
        loop.wake()
    gate.set()
    eventually(lambda: loop.state.runs == 2)
    assert max(most) == 1
    eventually(lambda: not loop.running)
    assert loop.state.runs == 2


def test_a_failure_is_kept_and_the_loop_goes_on(loops: Loops) -> None:
    loop = loops.add("bad", lambda: 1 / 0, 0.01)
    loops.start()
    eventually(lambda: loop.state.failures > 2)
    assert loop.state.error == "ZeroDivisionError: division by zero"


def test_a_part_that_does_not_answer_is_told_in_a_sentence(
    loops: Loops, caplog: pytest.LogCaptureFixture
) -> None:
    def away() -> None:
        raise Unavailable(part="the database")

    loop = loops.add("away", away, 0.01)
    loops.start()
    eventually(lambda: loop.state.failures > 1)
    assert loop.state.error == str(Unavailable(part="the database"))
    assert not [record for record in caplog.records if record.exc_info]
    assert next(record.levelname for record in caplog.records if "away" in record.message) == "WARNING"


def test_a_removed_loop_runs_no_more(loops: Loops) -> None:
    runs: list[int] = []
    loop = loops.add("gone", lambda: runs.append(1), 3600, first_after_s=3600)
    loops.start()
    loops.remove(loop)
    loop.wake()
    other = loops.add("other", lambda: None, 3600)
    eventually(lambda: other.state.runs == 1)
    assert not runs and [s.name for s in loops.states()] == ["other"]


def test_pauses_differ_a_little_but_stay_in_bounds(loops: Loops) -> None:
    loop = loops.add("spread", lambda: None, 100.0)
    pauses = [loop.pause_s() for _ in range(200)]
    assert 90 <= min(pauses) < 95 < 105 < max(pauses) <= 110


def test_stop_waits_for_the_run_under_way() -> None:
    loops = Loops("test")
    gate, ended = threading.Event(), []
    loops.add("slow", lambda: gate.wait(5) and ended.append(1), 3600)
    loops.start()
    eventually(lambda: loops._loops["slow"].running)
    assert not loops.stop(0.05)
    gate.set()
    assert loops._pool.drain(5) and ended
