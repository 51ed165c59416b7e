"""A pool of threads that grows when work waits and shrinks when it does not."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

_LOG = logging.getLogger(__name__)

Task = Callable[[], None]


class WorkerPool:
    """Runs tasks on at most ``size`` threads of its own, oldest first."""

    def __init__(self, name: str, size: int, *, idle_s: float = 60.0) -> None:
        if size < 1:
            raise ValueError(f"pool {name} needs at least one worker")
        self.name = name
        self.size = size
        self._idle_s = idle_s
        self._tasks: deque[Task] = deque()
        lock = threading.Lock()
        self._changed = threading.Condition(lock)
        self._done = threading.Condition(lock)
        self._threads = 0
        self._idle = 0
        self._stopped = False

    def submit(self, task: Task) -> None:
        """Queue a task; raise ``RuntimeError`` after :meth:`stop`."""
        with self._changed:
            if self._stopped:
                raise RuntimeError(f"pool {self.name} is stopped")
            self._tasks.append(task)
            if self._idle >= len(self._tasks):
                self._changed.notify()
                return
            if self._threads >= self.size:
                return
            self._threads += 1
        threading.Thread(target=self._work, name=self.name, daemon=True).start()

    @property
    def waiting(self) -> int:
        """How many tasks nobody has begun."""
        return len(self._tasks)

    @property
    def busy(self) -> int:
        """How many tasks run now."""
        return self._threads - self._idle

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._tasks:
                    self._idle += 1
                    self._done.notify_all()
                    woken = not self._stopped and self._changed.wait(self._idle_s)
                    self._idle -= 1
                    if not self._tasks and (self._stopped or not woken):
                        self._threads -= 1
                        self._done.notify_all()
                        return
                task = self._tasks.popleft()
            try:
                task()
            except Exception:  # a worker outlives whatever its task forgot to catch
                _LOG.exception("a task of pool %s failed", self.name)
            del task

    def drain(self, timeout_s: float) -> bool:
        """Wait until nothing waits or runs; false when that takes longer than ``timeout_s``."""
        with self._changed:
            return self._done.wait_for(lambda: not self._tasks and self.busy == 0, timeout_s)

    def unstarted(self) -> list[Task]:
        """Take away the tasks that nobody has begun and return them."""
        with self._changed:
            tasks = list(self._tasks)
            self._tasks.clear()
            return tasks

    def stop(self) -> None:
        """Take no more tasks; workers end after what is queued."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
