"""python-novaclient used as a library, against fake hosts with Keystone and Glance."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nova.api.compute.servers.list_query import SORT_WORDS
from tests.support import netns
from tests.support.clients import Clients

pytestmark = [
    pytest.mark.skipif(not netns.CAN_MAKE, reason="network namespaces need root"),
    pytest.mark.timeout(1500),
]
FILE = Path(__file__).with_name("nova_scenarios.py")
OF_ADMINISTRATORS = ("host", "node")


@pytest.fixture(scope="module")
def kept(cli: Clients) -> Iterator[Clients]:
    """Four servers that differ are there."""
    cli.script(FILE, "keep")
    yield cli
    cli.script(FILE, "unkeep")


@pytest.mark.parametrize("key", [word for word in SORT_WORDS if word not in OF_ADMINISTRATORS])
def test_lists_have_every_order_in_pages(kept: Clients, key: str) -> None:
    kept.script(FILE, "sort_key", key=key)


@pytest.mark.parametrize("check", ["sort_by_several", "filters"])
def test_lists(kept: Clients, check: str) -> None:
    kept.script(FILE, check)


def test_a_reader_reads(kept: Clients) -> None:
    kept.script(FILE, "a_reader_reads", "reader")


@pytest.mark.parametrize(
    "check",
    [
        "create",
        "create_with_disks",
        "create_several",
        "hints",
        "act",
        "screen_log_and_snapshot",
        "keypairs",
        "what_is_not_there",
    ],
)
def test_what_members_do(cli: Clients, check: str) -> None:
    cli.script(FILE, check)


@pytest.mark.parametrize("check", ["place", "aggregates_and_zones", "hypervisors_and_services"])
def test_what_administrators_do(cli: Clients, check: str) -> None:
    cli.script(FILE, check, "admin")


@pytest.mark.parametrize("check", ["flavors", "quotas_limits_and_usage"])
def test_what_administrators_do_for_a_project(cli: Clients, project: str, check: str) -> None:
    cli.script(FILE, check, "admin", project=project)
