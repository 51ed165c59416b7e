"""Two clouds as ``tools/cloud`` makes them, with Keystone and Glance: fake hosts, and real guests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.clients import Clients
from tests.support.one_machine import OneMachine, one_machine

USERS = ("admin", "demo", "reader", "alt_demo")


@pytest.fixture(scope="package")
def paper() -> Iterator[OneMachine]:
    """A cloud of three fake hosts."""
    with one_machine("fake") as machine:
        machine.up("--driver", "fake", "--hosts", "3")
        yield machine


@pytest.fixture(scope="package")
def cli(paper: OneMachine) -> Iterator[Clients]:
    """The stock clients, for the cloud of fake hosts; ``admin`` gave the project demo room."""
    with Clients(paper.network, {name: paper.users(name) for name in USERS}) as clients:
        clients.run("nova flavor-create --ephemeral 2 --swap 128 m1.disks auto 128 1 1", "admin")
        clients("openstack quota set --instances 100 --cores 200 --key-pairs 50 demo", "admin")
        yield clients


@pytest.fixture(scope="package")
def project(cli: Clients) -> str:
    """The project of ``demo``."""
    return str(cli.json("openstack project show demo", "admin")["id"])


@pytest.fixture(scope="package")
def real() -> Iterator[OneMachine]:
    """A cloud of libvirt and emulated guests; its first server is there."""
    with one_machine("libvirt") as machine:
        machine.up()
        yield machine


@pytest.fixture(scope="package")
def real_cli(real: OneMachine) -> Iterator[Clients]:
    """The stock clients, for the cloud of real guests."""
    with Clients(real.network, {name: real.users(name) for name in USERS}) as clients:
        yield clients
