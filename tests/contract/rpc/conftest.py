"""Every test of this folder that asks for a ``site`` runs in memory and over a real RabbitMQ."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nova import ids
from tests.contract.rpc.sites import SITES, Site
from tests.support.rabbitmq import Broker, rabbitmq


@pytest.fixture(scope="session")
def broker() -> Iterator[Broker]:
    """A RabbitMQ of this run's own."""
    with rabbitmq() as running:
        yield running


def url_of(kind: str, request: pytest.FixtureRequest) -> str:
    """Return the address of a message system, begun when it is first asked for."""
    if kind == "memory":
        return f"memory:///{ids.new_uuid()}"
    running: Broker = request.getfixturevalue("broker")
    return running.url


@pytest.fixture(params=SITES)
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    made = Site(url_of(request.param, request))
    yield made
    made.close()


@pytest.fixture
def rabbit_site(broker: Broker) -> Iterator[Site]:
    """The one with a broker in between only."""
    made = Site(broker.url)
    yield made
    made.close()
