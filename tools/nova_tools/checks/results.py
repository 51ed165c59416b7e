"""Results of the parts, and their sum as one line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Counts:
    """How many tests passed, failed, were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


@dataclass(frozen=True)
class Report:
    """What pytest wrote through the counting plugin: the counts, and the test that had not ended."""

    counts: Counts
    unfinished: str | None
    failures: tuple[str, ...]
    passed: frozenset[str]


def read_report(path: Path) -> Report:
    """Read a results file; a missing one is an empty report. A test that failed twice counts once."""
    outcome_of: dict[str, str] = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # the last line of a killed run
        if outcome_of.get(entry["test"]) != "failed":
            outcome_of[entry["test"]] = entry["outcome"]
    return Report(
        _counts(outcome_of.values()),
        next((test for test, outcome in outcome_of.items() if outcome == "started"), None),
        tuple(test for test, outcome in outcome_of.items() if outcome == "failed"),
        frozenset(test for test, outcome in outcome_of.items() if outcome == "passed"),
    )


def _counts(outcomes: Iterable[str]) -> Counts:
    seen = list(outcomes)
    return Counts(seen.count("passed"), seen.count("failed"), seen.count("skipped"))


@dataclass(frozen=True)
class PartResult:
    """What came out of one part; ``remark`` says why when something besides tests went wrong.

    ``passed_again`` are tests that failed at first and passed when they were run once more.
    """

    name: str
    counts: Counts
    seconds: float
    log: Path
    remark: str = ""
    failures: tuple[str, ...] = ()
    passed_again: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        return self.counts.failed == 0

    def line(self) -> str:
        """One line of the summary."""
        remark = f"  ({self.remark})" if self.remark else ""
        word = "ok  " if self.good else "FAIL"
        return f"{word} {self.name:22} {self.counts!s:42} {self.seconds:7.1f} s{remark}"
