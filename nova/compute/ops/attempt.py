"""A job while it is done, as deeds see it."""

from __future__ import annotations

from nova.compute.book import Active, Book
from nova.compute.host import Host
from nova.objects.ids import InstanceId
from nova.objects.jobs import Job
from nova.objects.states import Task


class Barred(Exception):
    """The job is not wanted any more."""


class Unclear(Exception):
    """A failure after which nobody knows what the host did; the failure itself is its cause."""


class Attempt:
    """One job on one host."""

    __slots__ = ("_active", "_book", "host")

    def __init__(self, host: Host, active: Active, book: Book) -> None:
        self.host = host
        self._active = active
        self._book = book

    @property
    def job(self) -> Job:
        return self._active.job

    @property
    def taken_at(self) -> float:
        return self._active.taken_at

    @property
    def instance_id(self) -> InstanceId:
        return self._active.job.instance_id

    def enter(self, phase: Task) -> None:
        """Say how far the job is; raise ``Barred`` if it is not wanted any more."""
        if self._book.barred(self._active):
            raise Barred
        self._book.enter(self._active, phase)
