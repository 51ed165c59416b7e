"""Who works when: one job of a guest at a time, in order, and only so many of a kind on a host."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections import deque
from collections.abc import Callable, Hashable

from nova.workers import WorkerPool

Gate = tuple[Hashable, int]
"""What is counted together, and how many of it may run at once."""


class _Turn:
    __slots__ = ("gate", "key", "run")

    def __init__(self, key: Hashable, gate: Gate | None, run: Callable[[], None]) -> None:
        self.key = key
        self.gate = gate
        self.run = run


class Turns:
    """Runs work in a pool.  For many threads."""

    def __init__(self, pool: WorkerPool) -> None:
        self._pool = pool
        self._lock = threading.Lock()
        # The first of each runs or waits at its gate.
        self._queues: dict[Hashable, deque[_Turn]] = {}
        self._inside: dict[Hashable, int] = {}
        self._at_gate: dict[Hashable, deque[_Turn]] = {}

    def submit(self, key: Hashable, run: Callable[[], None], gate: Gate | None = None) -> None:
        """Run after everything of the same ``key`` that was submitted before, as ``gate`` allows."""
        turn = _Turn(key, gate, run)
        with self._lock:
            queue = self._queues.get(key)
            if queue is not None:
                queue.append(turn)
                return
            self._queues[key] = deque((turn,))
            admitted = self._admit(turn)
        if admitted:
            self._start(turn)

    def hurry(self, key: Hashable) -> None:
        """Let what waits at a gate for ``key`` through: it will find that it has nothing to do."""
        with self._lock:
            queue = self._queues.get(key)
            turn = queue[0] if queue else None
            if turn is None or turn.gate is None:
                return
            waiting = self._at_gate.get(turn.gate[0])
            if not waiting or turn not in waiting:
                return
            waiting.remove(turn)
            if not waiting:
                del self._at_gate[turn.gate[0]]
            turn.gate = None
        self._start(turn)

    def _admit(self, turn: _Turn) -> bool:
        if turn.gate is None:
            return True
        name, limit = turn.gate
        inside = self._inside.get(name, 0)
        if inside < limit:
            self._inside[name] = inside + 1
            return True
        self._at_gate.setdefault(name, deque()).append(turn)
        return False

    def _start(self, turn: _Turn) -> None:
        # A stopped pool means that the daemon ends; what was not begun is still owed.
        with contextlib.suppress(RuntimeError):
            self._pool.submit(functools.partial(self._go, turn))

    def _go(self, turn: _Turn) -> None:
        try:
            turn.run()
        finally:
            for following in self._leave(turn):
                self._start(following)

    def _leave(self, turn: _Turn) -> list[_Turn]:
        """End a turn; return those that may run because of it."""
        following = []
        with self._lock:
            queue = self._queues[turn.key]
            queue.popleft()
            if not queue:
                del self._queues[turn.key]
            elif self._admit(queue[0]):
                following.append(queue[0])
            if turn.gate is not None:
                name = turn.gate[0]
                waiting = self._at_gate.get(name)
                if waiting:
                    following.append(waiting.popleft())
                    if not waiting:
                        del self._at_gate[name]
                elif self._inside[name] > 1:
                    self._inside[name] -= 1
                else:
                    del self._inside[name]
        return following
