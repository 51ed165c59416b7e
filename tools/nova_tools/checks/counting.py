"""A pytest plugin that writes each result to a file at once, so that a killed run still counts.

Loaded with ``-p nova_tools.checks.counting``; the file is named by ``NOVA_TEST_RESULTS``.
"""

from __future__ import annotations

import json
import os
from typing import Any

_path = os.environ.get("NOVA_TEST_RESULTS")


def _write(outcome: str, test: str) -> None:
    # With pytest-xdist the workers would write a second time what the controller hears from them.
    if _path is not None and "PYTEST_XDIST_WORKER" not in os.environ:
        with open(_path, "a") as sink:
            sink.write(json.dumps({"outcome": outcome, "test": test}) + "\n")


def pytest_runtest_logstart(nodeid: str) -> None:
    """Note what runs now, for the case that it never ends."""
    _write("started", nodeid)


def pytest_runtest_logreport(report: Any) -> None:
    """Note an outcome: of the call, or of a setup that skipped or failed, or of a teardown that failed."""
    if report.failed:
        _write("failed", report.nodeid)
    elif report.skipped:
        _write("skipped", report.nodeid)
    elif report.when == "call":
        _write("passed", report.nodeid)


def pytest_collectreport(report: Any) -> None:
    """A file that cannot be imported is a failure."""
    if report.failed:
        _write("failed", report.nodeid)
