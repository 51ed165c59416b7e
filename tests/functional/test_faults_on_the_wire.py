"""The same faults while messages are lost, doubled, late and out of order, and over a real broker.

Two conductors share the work.  Of each fault of each step one case is tried, each seed at another point.
"""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Iterator

import pytest

from nova.conductor.workflows import CATALOG
from tests.support.cloud import running_cloud
from tests.support.rabbitmq import rabbitmq
from tests.support.trial import Trial, hurried, options
from tests.support.workflows import ALONE, cases, spread

CHAOS = "chaos+memory:///{{name}}?seed={seed}&lose=0.03&double=0.1&delay=0.2&delay_s=0.1&reorder=0.1"
SEEDS = (1, 2)


@contextlib.contextmanager
def trial(home: pathlib.Path, transport: str) -> Iterator[Trial]:
    # No conductor shall take the other for dead on a busy machine: a failure not yet committed is forgotten.
    extra = options(home / "world", resend_after=1.0, lease=5.0)
    with (
        hurried(),
        running_cloud(
            home / "cloud", hosts=2, network_hosts=2, conductors=2, extra=extra, transport=transport
        ) as bench,
    ):
        yield Trial(bench, home / "world")


@pytest.mark.parametrize("seed", SEEDS)
def test_messages_are_lost_doubled_late_and_out_of_order(tmp_path: pathlib.Path, seed: int) -> None:
    with trial(tmp_path, CHAOS.format(seed=seed)) as found:
        found.attempt(spread(cases(CATALOG, ALONE), seed))
        found.judge()


def test_over_rabbitmq(tmp_path: pathlib.Path) -> None:
    with rabbitmq() as broker, trial(tmp_path, broker.url) as found:
        found.attempt(spread(cases(CATALOG, ALONE), 3))
        found.judge()
