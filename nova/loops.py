"""Loops: work that comes again and again, without input, one run at a time.

A wake-up only makes a loop run sooner; what it does depends on what it finds.  All loops of a daemon share
one timer thread and a few workers, so that thousands of fake hosts fit in a process.
"""

from __future__ import annotations

import datetime
import functools
import heapq
import itertools
import logging
import threading
import zlib
from collections.abc import Callable

import msgspec

from nova import ids, log
from nova.clock import Clock
from nova.context import system_context
from nova.errors import Unavailable
from nova.workers import WorkerPool

_LOG = logging.getLogger(__name__)


class LoopState(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a loop: shown by ``/loops`` and by every daemon's ``loops`` call."""

    name: str
    interval_s: float
    running: bool = False
    runs: int = 0
    failures: int = 0
    started_at: datetime.datetime | None = None
    seconds: float | None = None
    result: str | None = None
    """What the last good run returned, as text."""
    error: str | None = None
    """What the last run raised; none after a good one."""


class Loop:
    """One loop of a :class:`Loops`; made by :meth:`Loops.add`."""

    def __init__(
        self, owner: Loops, name: str, run: Callable[[], object], interval_s: float, jitter: float
    ) -> None:
        self.name = name
        self.state = LoopState(name=name, interval_s=interval_s)
        self._owner = owner
        self._run = run
        self._interval_s = interval_s
        self._jitter = jitter
        self._seed = zlib.crc32(f"{owner.name}/{name}".encode())
        # Guarded by the owner's lock.
        self.due: float = 0.0
        self.entry = 0
        self.running = False
        self.again = False

    def wake(self) -> None:
        """Run as soon as possible; once more after the present run if there is one."""
        self._owner.wake(self)

    def pause_s(self) -> float:
        """Return the time to the next run: the interval, moved a bit so that hosts do not march in step."""
        self._seed = zlib.crc32(self._seed.to_bytes(4, "big"))
        return self._interval_s * (1 + self._jitter * (self._seed / 0x80000000 - 1))

    def run_once(self, clock: Clock) -> None:
        """Do one run now, in this thread; never raises."""
        before = self.state
        started, began = clock.now(), clock.monotonic()
        self.state = msgspec.structs.replace(before, running=True, started_at=started)
        error = result = None
        with log.bound(system_context(ids.new_request_id())):
            try:
                value = self._run()
                result = None if value is None else str(value)[:200]
            except Unavailable as raised:
                error = str(raised)[:500]
                _LOG.warning("loop %s comes again: %s", self.name, raised)
            except Exception as raised:  # a loop survives whatever one run meets and comes again
                error = f"{type(raised).__name__}: {raised}"[:500]
                _LOG.exception("loop %s failed", self.name)
        self.state = msgspec.structs.replace(
            self.state,
            running=False,
            runs=before.runs + 1,
            failures=before.failures + (error is not None),
            seconds=clock.monotonic() - began,
            result=result if error is None else before.result,
            error=error,
        )


class Loops:
    """All loops of one daemon.  A service: :meth:`start`, :meth:`stop`."""

    def __init__(self, name: str, *, workers: int = 8, clock: Clock | None = None) -> None:
        self.name = name
        self._clock = clock or Clock()
        self._pool = WorkerPool(f"loops-{name}", workers)
        self._changed = threading.Condition()
        self._heap: list[tuple[float, int, Loop]] = []
        self._entries = itertools.count(1)
        self._loops: dict[str, Loop] = {}
        self._thread: threading.Thread | None = None
        self._stopping = False

    def add(
        self,
        name: str,
        run: Callable[[], object],
        interval_s: float,
        *,
        jitter: float = 0.1,
        first_after_s: float = 0.0,
    ) -> Loop:
        """Add a loop; ``jitter`` is the part of the interval by which a pause may be shorter or longer."""
        if name in self._loops:
            raise ValueError(f"there is a loop {name} already")
        loop = self._loops[name] = Loop(self, name, run, interval_s, jitter)
        with self._changed:
            self._schedule(loop, self._clock.monotonic() + first_after_s)
        return loop

    def remove(self, loop: Loop) -> None:
        """Forget a loop; a run that is under way ends."""
        with self._changed:
            self._loops.pop(loop.name, None)
            loop.entry = -1

    def states(self) -> list[LoopState]:
        """Tell about every loop."""
        return [loop.state for loop in list(self._loops.values())]

    def stuck(self, after_s: float = 600.0) -> list[str]:
        """Name loops whose present run takes longer than ten intervals and ``after_s``."""
        now = self._clock.monotonic()
        return [
            f"{self.name}/{loop.name}"
            for loop in list(self._loops.values())
            if loop.running and now - loop.due > max(after_s, 10 * loop.state.interval_s)
        ]

    def start(self) -> None:
        """Begin to run loops that are due."""
        self._thread = threading.Thread(target=self._tick, name=f"loops-{self.name}", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> bool:
        """Start no more runs and wait for those under way; false when one takes longer."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(timeout_s)
        finished = self._pool.drain(timeout_s)
        self._pool.stop()
        return finished

    def wake(self, loop: Loop) -> None:
        with self._changed:
            if loop.entry < 0:
                return
            if loop.running:
                loop.again = True
            else:
                self._schedule(loop, self._clock.monotonic())

    def _schedule(self, loop: Loop, due: float) -> None:
        # The lock is held.  Older entries of the loop in the heap are recognised by their number.
        loop.due, loop.entry = due, next(self._entries)
        heapq.heappush(self._heap, (due, loop.entry, loop))
        if self._heap[0][2] is loop:
            self._changed.notify()

    def _tick(self) -> None:
        while True:
            with self._changed:
                while not self._stopping:
                    now = self._clock.monotonic()
                    if self._heap and self._heap[0][0] <= now:
                        break
                    self._changed.wait(self._heap[0][0] - now if self._heap else None)
                if self._stopping:
                    return
                _, entry, loop = heapq.heappop(self._heap)
                if entry != loop.entry or loop.running:
                    continue
                loop.running = True
            self._pool.submit(functools.partial(self._run, loop))

    def _run(self, loop: Loop) -> None:
        loop.run_once(self._clock)
        with self._changed:
            loop.running = False
            pause = 0.0 if loop.again else loop.pause_s()
            loop.again = False
            if loop.entry > 0:
                self._schedule(loop, self._clock.monotonic() + pause)
