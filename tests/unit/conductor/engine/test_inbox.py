"""The engine's queue: order, pauses, who is in our hands, and closing."""

from __future__ import annotations

import threading

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from nova.clock import Clock, StoppedClock
from nova.conductor.engine.inbox import Inbox
from nova.conductor.engine.step import Run
from tests.contract.db.makers import workflow


def a_run() -> Run:
    return Run(row=workflow(), input=None, notes={})


def test_runs_come_in_order_and_stay_held_until_done() -> None:
    inbox = Inbox(StoppedClock())
    runs = [a_run() for _ in range(5)]
    inbox.put(runs)
    assert inbox.get(3) == runs[:3]
    assert inbox.held() == {run.id for run in runs}
    inbox.done([runs[0].id])
    assert inbox.held() == {run.id for run in runs[1:]}
    assert inbox.get(3) == runs[3:]


def test_a_paused_run_comes_after_its_pause_and_is_held_meanwhile() -> None:
    clock = StoppedClock()
    inbox = Inbox(clock)
    late, soon = a_run(), a_run()
    inbox.put([late], delay_s=5.0)
    inbox.put([soon], delay_s=1.0)
    assert inbox.held() == {late.id, soon.id}
    clock.advance(1.0)
    assert inbox.get(10) == [soon]
    clock.advance(5.0)
    assert inbox.get(10) == [late]


def test_a_waiting_worker_wakes_for_a_run() -> None:
    inbox = Inbox(Clock())
    got: list[Run] = []
    thread = threading.Thread(target=lambda: got.extend(inbox.get(1)), daemon=True)
    thread.start()
    run = a_run()
    inbox.put([run])
    thread.join(20)
    assert got == [run]


def test_closing_hands_out_nothing_more_and_wakes_all() -> None:
    inbox = Inbox(Clock())
    threads = [threading.Thread(target=inbox.get, args=(1,), daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    inbox.close()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    inbox.put([a_run()])
    assert inbox.get(1) == []


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.integers(1, 7))
def test_nothing_is_lost_or_doubled(delays: list[int], most: int) -> None:
    clock = StoppedClock()
    inbox = Inbox(clock)
    runs = [a_run() for _ in delays]
    for run, delay in zip(runs, delays, strict=True):
        inbox.put([run], delay_s=float(delay))
    clock.advance(5.0)
    got: list[Run] = []
    while len(got) < len(runs):
        batch = inbox.get(most)
        assert 0 < len(batch) <= most
        got.extend(batch)
    assert sorted(r.id for r in got) == sorted(r.id for r in runs)


def test_of_a_run_that_came_twice_only_the_one_with_the_newest_fence_is_handed_out() -> None:
    inbox = Inbox(StoppedClock())
    row = workflow(fence=1)
    stale = Run(row=row, input=None, notes={})
    newer = Run(row=msgspec.structs.replace(row, fence=2), input=None, notes={})
    other = a_run()
    inbox.put([newer, other])
    inbox.put([stale])
    assert inbox.get(10) == [newer, other]
