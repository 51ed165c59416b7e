"""The engine's queue: runs that can go on, now or after a pause, handed out in batches."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Iterable

from nova.clock import Clock
from nova.conductor.engine.step import Run
from nova.objects.ids import WorkflowId


class Inbox:
    """Thread-safe; knows every run that is in this conductor's hands."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ready: list[Run] = []
        self._later: list[tuple[float, int, Run]] = []
        self._count = itertools.count()
        self._held: set[WorkflowId] = set()
        self._changed = threading.Condition()
        self._closed = False

    def put(self, runs: Iterable[Run], *, delay_s: float = 0.0) -> None:
        """Take runs into this conductor's hands."""
        with self._changed:
            for run in runs:
                self._held.add(run.id)
                if delay_s:
                    heapq.heappush(self._later, (self._clock.monotonic() + delay_s, next(self._count), run))
                else:
                    self._ready.append(run)
            self._changed.notify()

    def get(self, most: int) -> list[Run]:
        """Wait for runs and return at most so many; an empty list means that the inbox was closed.

        A workflow may have come twice, when it was taken up again while its run waited here.  Only the run
        with the newest fence is returned: both in one transaction would do everything twice.
        """
        with self._changed:
            while True:
                now = self._clock.monotonic()
                while self._later and self._later[0][0] <= now:
                    self._ready.append(heapq.heappop(self._later)[2])
                if self._closed:
                    return []
                if self._ready:
                    batch, self._ready = self._ready[:most], self._ready[most:]
                    if self._ready:
                        self._changed.notify()
                    return _newest(batch)
                self._changed.wait(self._later[0][0] - now if self._later else None)

    def done(self, ids: Iterable[WorkflowId]) -> None:
        """These runs left this conductor's hands."""
        with self._changed:
            self._held.difference_update(ids)

    def held(self) -> set[WorkflowId]:
        """Return the ids of all runs in this conductor's hands."""
        with self._changed:
            return set(self._held)

    def close(self) -> None:
        """Hand out nothing more; runs still inside stay in SQL for the next owner."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


def _newest(batch: list[Run]) -> list[Run]:
    found: dict[WorkflowId, Run] = {}
    for run in batch:
        if run.id not in found or found[run.id].row.fence < run.row.fence:
            found[run.id] = run
    return list(found.values())
