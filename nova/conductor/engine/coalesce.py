"""Group commit: calls that come while another is being carried out share the next transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class _Entry(Generic[T, R]):
    __slots__ = ("done", "error", "item", "result")

    def __init__(self, item: T) -> None:
        self.item = item
        self.result: R
        self.done = False
        self.error: BaseException | None = None


class Coalescer(Generic[T, R]):
    """Hands items to ``work`` in batches; :meth:`submit` returns what it made of the item.

    The first caller carries out the batch; those that come meanwhile form the next one.  ``work`` returns a
    result for each item, in their order.
    """

    def __init__(self, work: Callable[[Sequence[T]], Sequence[R]], most: int = 256) -> None:
        self._work = work
        self._most = most
        self._pending: list[_Entry[T, R]] = []
        self._guard = threading.Lock()
        self._leader = threading.Lock()

    def submit(self, item: T) -> R:
        """Carry out ``item``; raises what its batch raised."""
        entry: _Entry[T, R] = _Entry(item)
        with self._guard:
            self._pending.append(entry)
        with self._leader:
            if not entry.done:
                self._lead(entry)
        if entry.error is not None:
            raise entry.error
        return entry.result

    def _lead(self, entry: _Entry[T, R]) -> None:
        while not entry.done:
            with self._guard:
                batch, self._pending = self._pending[: self._most], self._pending[self._most :]
            error: BaseException | None = None
            try:
                for e, result in zip(batch, self._work([e.item for e in batch]), strict=True):
                    e.result = result
            except BaseException as exc:  # handed to every caller of the batch
                error = exc
            for e in batch:
                e.error, e.done = error, True
