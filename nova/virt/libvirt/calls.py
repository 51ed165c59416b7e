"""Calls into C that may hang: each in a native thread of its own, waited for only so long."""

from __future__ import annotations

import os
import selectors
from collections.abc import Callable
from typing import Any, TypeVar

from nova import concurrency

T = TypeVar("T")


class CallTimedOut(Exception):
    """The call did not come back in time; its thread goes on alone and its result is dropped."""


class TooManyStuck(Exception):
    """So many calls hang that another one would help nobody."""


class Calls:
    """Runs calls; at most ``max_stuck`` of them may be overdue at once."""

    def __init__(self, max_stuck: int = 64) -> None:
        self._max_stuck = max_stuck
        self._stuck: set[int] = set()

    @property
    def stuck(self) -> int:
        """Count the calls that were given up and have not come back."""
        return len(self._stuck)

    def within(self, seconds: float, call: Callable[[], T]) -> T:
        """Return what ``call`` returns or raise what it raises; :class:`CallTimedOut` after ``seconds``."""
        if self.stuck >= self._max_stuck:
            raise TooManyStuck
        ours, theirs = os.pipe2(os.O_CLOEXEC)
        outcome: list[tuple[bool, Any]] = []

        def work() -> None:
            try:
                outcome.append((True, call()))
            except BaseException as error:  # it belongs to the waiting thread
                outcome.append((False, error))
            finally:
                self._stuck.discard(theirs)
                os.close(theirs)

        try:
            concurrency.start_native_thread(work, name="libvirt-call")
            with selectors.DefaultSelector() as selector:
                selector.register(ours, selectors.EVENT_READ)
                if not selector.select(seconds):
                    self._give_up(theirs, outcome)
                    raise CallTimedOut
        finally:
            os.close(ours)
        succeeded, value = outcome[0]
        if not succeeded:
            raise value
        result: T = value
        return result

    def _give_up(self, number: int, outcome: list[tuple[bool, Any]]) -> None:
        self._stuck.add(number)
        if outcome:  # it came back at the last moment and has already left the books
            self._stuck.discard(number)
