"""Waiting for facts, bounded."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(fact: Callable[[], T], *, within_s: float = 10.0, every_s: float = 0.01) -> T:
    """Return the first true answer of ``fact``; fail with the last one after ``within_s``."""
    deadline = time.monotonic() + within_s
    while not (answer := fact()):
        if time.monotonic() > deadline:
            raise AssertionError(f"still {answer!r} after {within_s} s")
        time.sleep(every_s)
    return answer
