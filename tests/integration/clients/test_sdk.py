"""openstacksdk used as a library, against fake hosts with Keystone and Glance."""

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
FILE = Path(__file__).with_name("sdk_scenarios.py")
ADMIN = Path(__file__).with_name("sdk_admin_scenarios.py")
OF_ADMINISTRATORS = ("host", "node")


@pytest.fixture(scope="module")
def kept(cli: Clients) -> Iterator[Clients]:
    """Five servers that differ are there."""
    cli.script(FILE, "keep")
    yield cli
    cli.script(FILE, "unkeep")


@pytest.mark.parametrize("key", [word for word in SORT_WORDS if word not in OF_ADMINISTRATORS])
def test_lists_have_every_order(kept: Clients, key: str) -> None:
    kept.script(FILE, "sort_key", key=key)


@pytest.mark.parametrize("check", ["sort_keys_of_others", "filters", "pages"])
def test_lists(kept: Clients, check: str) -> None:
    kept.script(FILE, check)


def test_lists_of_administrators(kept: Clients, project: str) -> None:
    kept.script(ADMIN, "filters_of_administrators", "admin", project=project)


def test_a_reader_reads(kept: Clients) -> None:
    kept.script(FILE, "a_reader_reads", "reader")


@pytest.mark.parametrize(
    "check",
    [
        "create_with_all_that_can_be_said",
        "create_with_networks",
        "create_with_disks",
        "create_several",
        "hints",
        "act",
        "screen_and_log",
        "snapshot",
        "metadata_and_tags",
        "keypairs",
    ],
)
def test_what_members_do(cli: Clients, check: str) -> None:
    cli.script(FILE, check)


def test_members_do_not_choose_hosts(cli: Clients) -> None:
    node = cli.json("openstack hypervisor list", "admin")[0]["Hypervisor Hostname"]
    cli.script(FILE, "place_of_members", node=node)


@pytest.mark.parametrize("check", ["place", "aggregates", "hypervisors_and_services"])
def test_what_administrators_do(cli: Clients, check: str) -> None:
    cli.script(ADMIN, check, "admin")


@pytest.mark.parametrize("check", ["flavors", "quotas_and_limits"])
def test_what_administrators_do_for_a_project(cli: Clients, project: str, check: str) -> None:
    cli.script(ADMIN, check, "admin", project=project)
