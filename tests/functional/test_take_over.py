"""A conductor dies, or stands still and thaws, at every step of every workflow; another one goes on.

On every database.  All cases stand at their points in one conductor at the same time, as in a real process;
then it is gone (or frozen), a second one takes everything over and brings it to its end.  The frozen one
thaws afterwards: it is fenced and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nova.conductor.workflows import CATALOG
from tests.support.cloud import running_cloud
from tests.support.databases import BACKENDS, Databases
from tests.support.trial import Trial, hurried, options
from tests.support.workflows import Fault, cases

DEATHS = list(cases(CATALOG, [Fault.DIE]))
EVERYWHERE = {str(case): case for case in cases(CATALOG, [Fault.FREEZE])}
LAST = {
    "sqlite": "boot.build:freeze@before_send",
    "mariadb": "boot.build:freeze@after_send",
    "postgresql": "boot.build:freeze@before_undo_send",
}
"""Where the one thread stands that takes reports; who reports waits for it, so it is the last to stand."""
FROSTS = [case for name, case in EVERYWHERE.items() if not name.startswith("boot.build:")]


@pytest.fixture
def trial(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, databases: Databases
) -> Iterator[Trial]:
    """A cloud whose first conductor has a thread for each of its cases."""
    home = tmp_path_factory.mktemp("take-over")
    extra = options(home / "world", resend_after=1.0, conductor="engine_threads = 100")
    url = databases.url(request.param)
    with (
        hurried(),
        running_cloud(home / "cloud", hosts=2, network_hosts=2, extra=extra, database=url) as bench,
    ):
        found = Trial(bench, home / "world")
        try:
            yield found
        finally:
            found.shooter.thaw.set()


@pytest.mark.parametrize("trial", BACKENDS, indirect=True)
def test_another_conductor_takes_over_from_one_that_died_anywhere(trial: Trial) -> None:
    trial.forget_nothing()
    trial.start(DEATHS, [0])
    trial.take_over(frozen=False)
    trial.judge()


@pytest.mark.parametrize("trial", BACKENDS, indirect=True)
def test_a_conductor_that_thaws_after_it_was_taken_for_dead_does_no_harm(
    request: pytest.FixtureRequest, trial: Trial
) -> None:
    trial.forget_nothing()
    trial.start(FROSTS, [0])
    trial.wait_for_points()
    last = EVERYWHERE[LAST[request.node.callspec.params["trial"]]]
    trial.start([last], [])
    trial.take_over(frozen=True)
    trial.judge()
