"""Wait for a fact, never for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(fact: Callable[[], T], *, within_s: float = 10.0, what: str = "") -> T:
    """Return the first true value of ``fact``; ``AssertionError`` when none comes in time."""
    deadline = time.monotonic() + within_s
    pause = 0.001
    while True:
        value = fact()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {within_s} s: {what or fact}")
        time.sleep(pause)
        pause = min(0.05, pause * 1.5)
