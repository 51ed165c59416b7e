"""Group commit: everything is carried out once, together where calls meet, and errors reach their callers."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from nova.conductor.engine.coalesce import Coalescer, _Entry

WAIT_S = 20.0


class Work:
    """Carries out batches, and can be held up in the first."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.entered = threading.Event()
        self.go_on = threading.Event()

    def __call__(self, items: Sequence[int]) -> Sequence[int]:
        self.batches.append(list(items))
        self.entered.set()
        assert self.go_on.wait(WAIT_S)
        if 13 in items:
            raise ValueError("thirteen")
        return [item * 2 for item in items]


def submit_in_thread(coalescer: Coalescer[int, int], item: int, failed: list[int]) -> threading.Thread:
    def call() -> None:
        try:
            assert coalescer.submit(item) == item * 2
        except ValueError:
            failed.append(item)
        except AssertionError:
            failed.append(-item)

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    return thread


def pending(coalescer: Coalescer[int, int]) -> int:
    return len(coalescer._pending)


def wait_pending(coalescer: Coalescer[int, int], count: int) -> None:
    ticks = threading.Event()
    for _ in range(2000):
        if pending(coalescer) >= count:
            return
        ticks.wait(0.005)
    raise AssertionError(f"{pending(coalescer)} items wait, not {count}")


def run(items: Sequence[int], most: int = 256) -> tuple[Work, list[int]]:
    """Hold up item 0 while the others come; then let all go."""
    work, failed = Work(), list[int]()
    coalescer = Coalescer(work, most)
    threads = [submit_in_thread(coalescer, 0, failed)]
    assert work.entered.wait(WAIT_S)
    threads += [submit_in_thread(coalescer, item, failed) for item in items]
    wait_pending(coalescer, len(items))
    work.go_on.set()
    for thread in threads:
        thread.join(WAIT_S)
        assert not thread.is_alive()
    return work, failed


def test_what_comes_meanwhile_is_one_batch() -> None:
    work, failed = run([1, 2, 3, 4])
    assert work.batches[0] == [0]
    assert [sorted(batch) for batch in work.batches[1:]] == [[1, 2, 3, 4]]
    assert not failed


def test_batches_are_bounded_and_nothing_is_lost_or_doubled() -> None:
    work, _ = run(list(range(1, 12)), most=4)
    assert all(len(batch) <= 4 for batch in work.batches)
    assert sorted(item for batch in work.batches for item in batch) == list(range(12))


def test_an_error_reaches_every_caller_of_its_batch_and_no_other() -> None:
    _, failed = run([7, 13])
    assert sorted(failed) == [7, 13]


def test_the_next_call_after_an_error_is_carried_out() -> None:
    seen: list[int] = []

    def work(items: Sequence[int]) -> Sequence[int]:
        seen.extend(items)
        if 13 in items:
            raise ValueError("thirteen")
        return items

    coalescer = Coalescer(work)
    with pytest.raises(ValueError, match="thirteen"):
        coalescer.submit(13)
    assert coalescer.submit(1) == 1
    assert seen == [13, 1]


def test_whoever_is_answered_does_not_wait_for_the_next_batch() -> None:
    entered, go_on = threading.Event(), [threading.Event() for _ in range(3)]
    batches: list[Sequence[int]] = []

    def work(items: Sequence[int]) -> Sequence[int]:
        batches.append(items)
        entered.set()
        assert go_on[len(batches) - 1].wait(WAIT_S)
        return [item * 2 for item in items]

    coalescer, failed = Coalescer(work, most=20), list[int]()
    first = submit_in_thread(coalescer, 0, failed)
    assert entered.wait(WAIT_S)
    threads = [first]
    for item in range(1, 41):
        threads.append(submit_in_thread(coalescer, item, failed))
        wait_pending(coalescer, item)
    go_on[0].set()
    go_on[1].set()
    for thread in threads[:21]:
        thread.join(WAIT_S)
    late = [n for n, thread in enumerate(threads[:21]) if thread.is_alive()]
    go_on[2].set()
    for thread in threads:
        thread.join(WAIT_S)
    assert not late
    assert not failed
    assert batches == [[0], list(range(1, 21)), list(range(21, 41))]


def test_one_that_waits_no_more_does_not_lead() -> None:
    work, failed = Work(), list[int]()
    coalescer: Coalescer[int, int] = Coalescer(work)
    threads = [submit_in_thread(coalescer, 0, failed)]
    assert work.entered.wait(WAIT_S)
    gone: _Entry[int, int] = _Entry(1)
    gone.gone = True
    coalescer._pending.append(gone)
    threads.append(submit_in_thread(coalescer, 2, failed))
    wait_pending(coalescer, 2)
    work.go_on.set()
    for thread in threads:
        thread.join(WAIT_S)
        assert not thread.is_alive()
    assert work.batches == [[0], [1, 2]]
    assert coalescer.submit(3) == 6


def test_callers_that_come_again_and_again_meet_in_large_batches() -> None:
    callers, turns = 16, 20
    sizes: list[int] = []
    never = threading.Event()

    def work(items: Sequence[int]) -> Sequence[int]:
        sizes.append(len(items))
        for _ in range(5):
            never.wait(0.001)  # as a statement: others run meanwhile
        return items

    coalescer = Coalescer(work)

    def call() -> None:
        for turn in range(turns):
            coalescer.submit(turn)

    threads = [threading.Thread(target=call) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
    assert sum(sizes) == callers * turns
    # Half of them wait while the other half is carried out.
    assert sum(sizes) / len(sizes) > callers / 4
