"""Turns under many threads, for any mix of guests and gates."""

from __future__ import annotations

import functools
import threading
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from nova.compute.turns import Turns
from nova.workers import WorkerPool
from tests.support.eventually import eventually


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from([None, "a", "b"])), max_size=60))
def test_order_of_a_guest_and_limits_of_gates_hold(work: list[tuple[int, str | None]]) -> None:
    pool = WorkerPool("test", 8)
    turns = Turns(pool)
    lock = threading.Lock()
    done: list[tuple[int, int]] = []
    inside: dict[object, int] = {}
    broken: list[str] = []

    def job(number: int, key: int, gate: str | None) -> None:
        with lock:
            for name, limit in ((("key", key), 1), (("gate", gate), 2)):
                inside[name] = inside.get(name, 0) + 1
                if inside[name] > limit and name != ("gate", None):
                    broken.append(f"{name} has {inside[name]}")
        time.sleep(0)
        with lock:
            done.append((key, number))
            inside["key", key] -= 1
            inside["gate", gate] -= 1

    for number, (key, gate) in enumerate(work):
        run = functools.partial(job, number, key, gate)
        turns.submit(key, run, None if gate is None else (gate, 2))
    eventually(lambda: len(done) == len(work))
    pool.stop()
    assert broken == []
    for key in range(6):
        mine = [number for k, number in done if k == key]
        assert mine == sorted(mine)
    assert not turns._queues and not turns._at_gate


def test_a_turn_that_raises_lets_the_next_one_through() -> None:
    pool = WorkerPool("test", 2)
    turns = Turns(pool)
    ran = threading.Event()

    def bad() -> None:
        raise RuntimeError("no")

    turns.submit("k", bad, ("g", 1))
    turns.submit("k", ran.set, ("g", 1))
    assert ran.wait(5)
    pool.stop()


def test_what_is_hurried_does_not_wait_at_its_gate() -> None:
    pool = WorkerPool("test", 4)
    turns = Turns(pool)
    hold, passed = threading.Event(), threading.Event()
    turns.submit("slow", functools.partial(_wait, hold), ("g", 1))
    turns.submit("held", passed.set, ("g", 1))
    turns.hurry("nobody")
    turns.hurry("slow")
    assert not passed.wait(0.05)
    turns.hurry("held")
    assert passed.wait(5)
    hold.set()
    after = threading.Event()
    turns.submit("next", after.set, ("g", 1))
    assert after.wait(5)
    pool.stop()


def _wait(event: threading.Event) -> None:
    event.wait(10)
