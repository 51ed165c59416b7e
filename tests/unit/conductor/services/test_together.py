"""Requests that meet are granted together, and each gets its own answer."""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Sequence

import pytest

from nova.conductor.services.together import Together
from nova.errors import Conflict
from nova.errors.database import CommitUnknown, DatabaseUnavailable

WAIT_S = 20.0


class Desk:
    """Doubles numbers; refuses 13, and cannot say of odd numbers whether they may be granted together."""

    def __init__(self) -> None:
        self.alone_asked: list[int] = []
        self.batches: list[list[int]] = []
        self.error: Exception | None = None
        self.entered = threading.Event()
        self.go_on = threading.Event()
        self.gate = Together(self.alone, self.many, self.project)

    @staticmethod
    def project(number: int) -> str:
        return "crowd" if number < 100 else f"other {number}"

    def alone(self, number: int) -> int:
        self.alone_asked.append(number)
        if number == 0:
            self.entered.set()
            assert self.go_on.wait(WAIT_S)
        if number == 13:
            raise Conflict(reason="thirteen")
        return number * 2

    def many(self, numbers: Sequence[int]) -> dict[int, int]:
        self.batches.append(sorted(numbers))
        if self.error is not None:
            raise self.error
        return {place: number * 2 for place, number in enumerate(numbers) if number % 2 == 0}

    def meet(self, numbers: Sequence[int]) -> list[concurrent.futures.Future[int]]:
        """Hold up request 0 until all others wait for it; return their answers."""
        with concurrent.futures.ThreadPoolExecutor(len(numbers) + 1) as pool:
            first = pool.submit(self.gate.ask, 0)
            assert self.entered.wait(WAIT_S)
            asked = [pool.submit(self.gate.ask, number) for number in numbers]
            ticks = threading.Event()
            for _ in range(2000):
                if len(self.gate._lane("crowd")._pending) == len(numbers):
                    break
                ticks.wait(0.005)
            self.go_on.set()
            assert first.result(WAIT_S) == 0
            concurrent.futures.wait(asked, WAIT_S)
        return asked


def test_one_that_meets_nobody_is_admitted_alone() -> None:
    desk = Desk()
    assert desk.gate.ask(2) == 4
    assert desk.batches == [] and desk.alone_asked == [2]


def test_those_that_come_meanwhile_are_granted_together() -> None:
    desk = Desk()
    assert [asked.result() for asked in desk.meet([2, 4, 6])] == [4, 8, 12]
    assert desk.batches == [[2, 4, 6]] and desk.alone_asked == [0]


def test_those_left_out_are_admitted_alone_and_get_their_own_refusal() -> None:
    desk = Desk()
    two, three, unlucky = desk.meet([2, 3, 13])
    assert (two.result(), three.result()) == (4, 6)
    with pytest.raises(Conflict):
        unlucky.result()
    assert sorted(desk.alone_asked) == [0, 3, 13]


@pytest.mark.parametrize("error", [ValueError("a bug"), Conflict(reason="one of them"), CommitUnknown()])
def test_when_the_batch_fails_each_is_admitted_alone(error: Exception) -> None:
    desk = Desk()
    desk.error = error
    two, four, unlucky = desk.meet([2, 4, 13])
    assert (two.result(), four.result()) == (4, 8)
    with pytest.raises(Conflict):
        unlucky.result()
    assert sorted(desk.alone_asked) == [0, 2, 4, 13]


def test_a_database_that_is_away_is_not_asked_again_by_each() -> None:
    desk = Desk()
    desk.error = DatabaseUnavailable()
    for asked in desk.meet([2, 4]):
        with pytest.raises(DatabaseUnavailable):
            asked.result()
    assert desk.alone_asked == [0]


def test_a_project_that_waits_for_a_lock_does_not_hold_up_most_others() -> None:
    desk = Desk()
    free = next(
        n for n in range(100, 1000) if desk.gate._lane(desk.project(n)) is not desk.gate._lane("crowd")
    )
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        held_up = pool.submit(desk.gate.ask, 0)
        assert desk.entered.wait(WAIT_S)
        assert desk.gate.ask(free) == free * 2
        assert not held_up.done()
        desk.go_on.set()
        assert held_up.result(WAIT_S) == 0
