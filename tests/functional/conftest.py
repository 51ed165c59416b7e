"""A cloud for the tests of this folder, on the threads that ``NOVA_CONCURRENCY`` names (unset: native)."""

from __future__ import annotations

import os

from nova import concurrency

concurrency.start(os.environ.get("NOVA_CONCURRENCY") or concurrency.THREADING)

import pathlib  # noqa: E402 - nothing may be imported before the threads are chosen
from collections.abc import Iterator  # noqa: E402

import pytest  # noqa: E402

from tests.support.cloud import Bench, running_cloud  # noqa: E402
from tests.support.databases import BACKENDS, Databases  # noqa: E402


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """One cloud for a whole module, three fake hosts."""
    home: pathlib.Path = tmp_path_factory.mktemp("cloud")
    with running_cloud(home, hosts=3) as bench:
        yield bench


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """Servers of every kind, for tests that make their own clouds."""
    made = Databases(tmp_path_factory.mktemp("databases"))
    yield made
    made.close()


@pytest.fixture(scope="module", params=BACKENDS)
def bench(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, databases: Databases
) -> Iterator[Bench]:
    """A cloud with two conductors, over each database."""
    home = tmp_path_factory.mktemp("bench")
    with running_cloud(home, database=databases.url(request.param), conductors=2) as found:
        yield found
