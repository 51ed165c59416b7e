"""A cloud for the tests of this folder."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest

from tests.support.cloud import Bench, running_cloud


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """One cloud for a whole module, three fake hosts."""
    home: pathlib.Path = tmp_path_factory.mktemp("cloud")
    with running_cloud(home, hosts=3) as bench:
        yield bench
