"""Group commit: calls that come while another is being carried out share the next transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class _Entry(Generic[T, R]):
    __slots__ = ("done", "error", "gone", "item", "leads", "result", "turn")

    def __init__(self, item: T) -> None:
        self.item = item
        self.result: R
        self.done = False
        self.leads = False
        self.gone = False
        """Whoever gave it waits no more (a green thread that was killed)."""
        self.error: BaseException | None = None
        self.turn = threading.Lock()
        """Held until it is done, or has to lead."""
        self.turn.acquire()


class Coalescer(Generic[T, R]):
    """Hands items to ``work`` in batches; :meth:`submit` returns what it made of the item.

    The first caller carries out the batch; those that come meanwhile form the next one, which the oldest of
    them carries out.  Everybody else is woken once, when the answer is there.  ``work`` returns a result for
    each item, in their order.
    """

    def __init__(self, work: Callable[[Sequence[T]], Sequence[R]], most: int = 256) -> None:
        self._work = work
        self._most = most
        self._pending: list[_Entry[T, R]] = []
        self._guard = threading.Lock()
        self._led = False

    def submit(self, item: T) -> R:
        """Carry out ``item``; raises what its batch raised."""
        entry: _Entry[T, R] = _Entry(item)
        with self._guard:
            self._pending.append(entry)
            if not self._led:
                self._led = entry.leads = True
        if not entry.leads:
            self._wait(entry)
        if entry.leads:
            try:
                while not entry.done:
                    self._carry_out(entry)
            finally:
                self._pass_on()
        if entry.error is not None:
            raise entry.error
        return entry.result

    def _wait(self, entry: _Entry[T, R]) -> None:
        try:
            entry.turn.acquire()
        except BaseException:
            with self._guard:
                entry.gone = True
            if entry.leads:
                self._pass_on()
            raise

    def _carry_out(self, leader: _Entry[T, R]) -> None:
        with self._guard:
            batch, self._pending = self._pending[: self._most], self._pending[self._most :]
        error: BaseException | None = None
        try:
            for entry, result in zip(batch, self._work([e.item for e in batch]), strict=True):
                entry.result = result
        except BaseException as exc:  # handed to every caller of the batch
            error = exc
        for entry in batch:
            entry.error, entry.done = error, True
            if entry is not leader:
                entry.turn.release()

    def _pass_on(self) -> None:
        """Let the oldest of those that wait lead."""
        with self._guard:
            following = next((entry for entry in self._pending if not entry.gone), None)
            self._led = following is not None
            if following is not None:
                following.leads = True
                following.turn.release()
