"""Errors that come from another daemon are what they were there, whatever this one has imported."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
from nova.errors import revive
error = revive("NoConsole", {"reason": "the guest is not running"})
print(error.http, error.sentence())
error = revive("OfNextYear", {"reason": "something new"})
print(type(error).__name__, error.sentence())
"""


def test_a_process_that_never_raises_an_error_knows_it_all_the_same() -> None:
    """The API never imports a driver's errors, and must not make a 500 of what the host calls a conflict."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM], capture_output=True, text=True, timeout=60
    )
    assert done.stdout.splitlines() == [
        "409 The server has no console at the moment: the guest is not running",
        "UnknownError something new",
    ], done.stderr
