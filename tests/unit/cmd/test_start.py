"""Starting a program."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("mode", ["eventlet", "threading"])
def test_nothing_is_said_that_nobody_asked_for(mode: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys, nova.cmd.manage.main as m; sys.argv[1:] = ['--help']; m.main()"],
        env={"NOVA_CONCURRENCY": mode, "PYTHONPATH": ":".join(sys.path)},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.stderr == "" and "doctor" in done.stdout
