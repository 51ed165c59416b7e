"""The worker pool grows, shrinks, drains and survives."""

from __future__ import annotations

import threading

from nova.workers import WorkerPool
from tests.support.eventually import eventually


def test_tasks_run_side_by_side_up_to_the_size() -> None:
    pool = WorkerPool("t", 3)
    gate, running, most = threading.Event(), [], []

    def task() -> None:
        running.append(1)
        most.append(len(running))
        gate.wait(5)
        running.pop()

    for _ in range(10):
        pool.submit(task)
    eventually(lambda: len(running) == 3)
    assert pool.waiting == 7 and pool.busy == 3
    gate.set()
    assert pool.drain(5)
    assert max(most) == 3 and len(most) == 10


def test_idle_workers_go_away_and_come_back() -> None:
    pool = WorkerPool("t", 4, idle_s=0.05)
    done: list[int] = []
    for round_ in range(2):
        for _ in range(4):
            pool.submit(lambda: done.append(1))
        assert pool.drain(5)
        eventually(lambda: pool._threads == 0, what=f"round {round_}")
    assert len(done) == 8


def test_a_failing_task_does_not_end_its_worker() -> None:
    pool = WorkerPool("t", 1)
    done: list[int] = []
    pool.submit(lambda: 1 / 0)
    pool.submit(lambda: done.append(1))
    assert pool.drain(5) and done == [1]


def test_what_was_not_begun_can_be_taken_away() -> None:
    pool = WorkerPool("t", 1)
    gate = threading.Event()
    pool.submit(lambda: gate.wait(5) and None)
    eventually(lambda: pool.waiting == 0)
    pool.submit(lambda: None)
    assert len(pool.unstarted()) == 1
    assert not pool.drain(0.05)
    gate.set()
    assert pool.drain(5)
    pool.stop()
    eventually(lambda: pool._threads == 0)
