"""Waiting for a fact, always with an end."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(fact: Callable[[], bool], seconds: float, pause: float = 0.05) -> bool:
    """Ask again and again until ``fact()`` holds; return False when it did not within so many seconds."""
    end = time.monotonic() + seconds
    while True:
        if fact():
            return True
        left = end - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(pause, left))
        pause = min(pause * 1.3, 0.5)
