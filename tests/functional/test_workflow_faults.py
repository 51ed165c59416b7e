"""Every workflow fails, stumbles, dies, is doubled, cancelled, disturbed and deleted at every step.

Made from the workflow tables: a new workflow or step is tried from the day it is written.  All cases run at
the same time in one cloud; each is then judged alone, and all books are compared at the end.
"""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest

from nova.conductor.workflows import CATALOG
from tests.support.cloud import running_cloud
from tests.support.trial import Trial, hurried, judge, options
from tests.support.workflows import ALONE, cases

CASES = {str(case): case for case in cases(CATALOG, ALONE)}
NOT_COVERED = pathlib.Path(__file__).parents[1] / "support" / "not_covered.txt"


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """Try all cases at once."""
    home = tmp_path_factory.mktemp("faults")
    extra = options(home / "world")
    with hurried(), running_cloud(home / "cloud", hosts=2, network_hosts=2, extra=extra) as bench:
        found = Trial(bench, home / "world")
        found.attempt(list(CASES.values()))
        yield found


@pytest.mark.parametrize("name", sorted(CASES))
def test_every_server_ends_as_asked_or_says_why(trial: Trial, name: str) -> None:
    outcome = trial.outcomes[name]
    if outcome.armed.fired:
        judge(outcome)
    else:
        assert name in not_covered()


def test_the_books_the_hosts_and_the_history_agree(trial: Trial) -> None:
    trial.check()
    trial.clear()
    trial.check()


def test_what_is_not_covered_is_listed_and_nothing_else(trial: Trial) -> None:
    missed = sorted(name for name, outcome in trial.outcomes.items() if not outcome.armed.fired)
    assert missed == not_covered()


def not_covered() -> list[str]:
    """Read the list of cases whose place is never passed, in order; it may only shrink."""
    lines = NOT_COVERED.read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]
