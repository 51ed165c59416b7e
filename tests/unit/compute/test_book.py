"""The book of jobs."""

from __future__ import annotations

from nova.clock import StoppedClock
from nova.compute import book as book_module
from nova.compute.book import Book
from nova.objects.ids import HostName, InstanceId, JobId
from nova.objects.jobs import Destroy, Job, Verdict
from nova.objects.states import Power, Task

H1, H2 = HostName("h1"), HostName("h2")


def job(number: int, instance: str = "i", fence: int = 1) -> Job:
    return Job(id=JobId(f"j{number}"), instance_id=InstanceId(instance), fence=fence, order=Destroy())


def test_a_younger_job_refuses_those_that_wait_but_not_those_at_work() -> None:
    book = Book(StoppedClock())
    one, two = book.take(H1, [job(1), job(2)])
    assert book.begin(one)
    (three,) = book.take(H1, [job(3, fence=2)])
    assert not book.begin(two)
    assert book.barred(one) and not book.barred(three)
    assert [(o.job_id, o.verdict) for o in book.untold(9)] == [("j2", Verdict.REFUSED)]
    assert book.take(H1, [job(4)]) == []
    assert book.status(H1, JobId("j4")).verdict is Verdict.REFUSED


def test_hosts_of_one_process_do_not_bar_each_other() -> None:
    book = Book(StoppedClock())
    book.take(H1, [job(1, fence=9)])
    assert len(book.take(H2, [job(2, fence=1)])) == 1


def test_a_job_under_way_is_not_taken_twice() -> None:
    book = Book(StoppedClock())
    assert len(book.take(H1, [job(1), job(1)])) == 1
    assert book.take(H1, [job(1)]) == []
    assert book.status(H1, JobId("j1")).verdict is Verdict.PROGRESS


def test_outcomes_stay_untold_until_that_very_one_was_told() -> None:
    book = Book(StoppedClock())
    taken = book.take(H1, [job(n, f"i{n}") for n in range(5)])
    for active in taken:
        book.begin(active)
        book.end(active.outcome(Verdict.DONE))
    first = book.untold(3)
    assert len(first) == 3
    book.told(first)
    assert len(book.untold(9)) == 2
    book.take(H1, [job(0, "i0")])
    assert "j0" in [o.job_id for o in book.untold(9)]


def test_what_is_said_of_a_guest_at_work_is_kept_for_the_end() -> None:
    book = Book(StoppedClock())
    (active,) = book.take(H1, [job(1)])
    assert not book.overhear(H1, InstanceId("i"), Power.RUNNING)
    book.begin(active)
    assert book.overhear(H1, InstanceId("i"), Power.CRASHED)
    assert book.is_busy(H1, InstanceId("i"))
    assert book.end(active.outcome(Verdict.DONE)) is Power.CRASHED
    assert not book.is_busy(H1, InstanceId("i"))


def test_phases_are_told_once_and_only_when_they_last() -> None:
    clock = StoppedClock()
    book = Book(clock)
    (active,) = book.take(H1, [job(1)])
    book.enter(active, Task.SPAWNING)
    assert book.lasting_phases(1.0) == []
    clock.advance(2)
    assert [o.phase for o in book.lasting_phases(1.0)] == ["spawning"]
    assert book.lasting_phases(1.0) == []


def test_memory_is_bounded(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(book_module, "REMEMBERED_JOBS", 3)
    monkeypatch.setattr(book_module, "REMEMBERED_FENCES", 2)
    book = Book(StoppedClock())
    for active in book.take(H1, [job(n, f"i{n}") for n in range(6)]):
        book.begin(active)
        book.end(active.outcome(Verdict.DONE))
    assert book.status(H1, JobId("j0")).verdict is Verdict.UNKNOWN
    assert book.status(H1, JobId("j5")).verdict is Verdict.DONE
    assert len(book.take(H1, [job(9, "i5", fence=0)])) == 0
    assert len(book.take(H1, [job(10, "i0", fence=0)])) == 1
