"""A second chance for tests that failed: once more, when nothing else runs (see ADR 70)."""

from __future__ import annotations

from dataclasses import replace

from nova_tools.checks.results import Counts, PartResult, Report

MOST = 10
"""So many failed tests of a part may be bad luck; more are a fault of the change."""


def deserves_another(result: PartResult) -> bool:
    """Tell whether the failed tests of a part are run again: few, and the part itself came to its end."""
    return 0 < len(result.failures) <= MOST and not result.remark


def with_second_run(result: PartResult, second: Report) -> PartResult:
    """Return the result with those tests counted as passed that passed the second time."""
    passed = tuple(test for test in result.failures if test in second.passed)
    return replace(
        result,
        counts=result.counts + Counts(passed=len(passed), failed=-len(passed)),
        failures=tuple(test for test in result.failures if test not in second.passed),
        passed_again=passed,
    )


def block(results: list[PartResult]) -> str:
    """Return the lines that name what passed only when run again; nothing when there is nothing to name."""
    lines = [f"       {result.name}: {test}" for result in results for test in result.passed_again]
    if not lines:
        return ""
    head = f"{'!' * 10} passed only when run again: each is a fault to find, its first failure is in the log"
    return "\n".join([head, *lines])
