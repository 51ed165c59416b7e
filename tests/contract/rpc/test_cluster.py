"""Three nodes of RabbitMQ as one cluster: any of them may die under load, and nothing is lost."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager

import amqp
import pytest

from nova.rpc.rabbit.queues import SET_ASIDE
from nova.rpc.transport import Address
from nova_tools.processes import Supervisor
from nova_tools.services.rabbitmq import RabbitMQ
from nova_tools.torture.brokers import Brokers
from tests.contract.rpc.load import Load, nothing_lost
from tests.contract.rpc.shop import Endpoint, Shop
from tests.contract.rpc.sites import Site, handed_over
from tests.support.eventually import eventually
from tests.support.services import scratch_directory

RESUMED_WITHIN_S = 30.0
"""On a machine with nothing else to do it is a second; a full one must not fail this."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Brokers]:
    with scratch_directory("cluster") as home:
        brokers = Brokers(home, Supervisor(home / "run", home / "log"), 3)
        try:
            brokers.start()
            yield brokers
        finally:
            brokers.stop()


@pytest.fixture
def site(cluster: Brokers) -> Iterator[Site]:
    made = Site(cluster.transport_url)
    yield made
    made.close()


@contextmanager
def dead(cluster: Brokers, node: RabbitMQ) -> Iterator[None]:
    """Kill a node for the length of the block; behind it all three are one cluster again."""
    cluster.stop_node(node, kill=True)
    try:
        yield
    finally:
        cluster.start_node(node)
        node.control("await_online_nodes", "3")


def test_each_node_may_die_under_load(cluster: Brokers, site: Site) -> None:
    """Requests go on, from a process that asks for the first time, too; what nobody can serve is kept."""
    shop, endpoint = Shop(), Endpoint()
    load = Load(shop, site, patience_s=5.0)
    with shop.served(site.transport(), endpoint), load.running():
        load.progress(60)
        for number, node in enumerate(cluster.nodes):
            poison = f"poison {number}".encode()
            with dead(cluster, node):
                handed_over(site.transport(), Address(shop.topic), poison)
                assert load.progress(60) < RESUMED_WITHIN_S
                living = cluster.nodes[number - 1]
                eventually(lambda node=living, body=poison: body in _kept(node), within_s=60)
            assert load.progress(60) < RESUMED_WITHIN_S
    nothing_lost(load, endpoint)


def _kept(node: RabbitMQ) -> list[bytes]:
    """Take out what is set aside, asked of a node that lives."""
    found: list[bytes] = []
    where = f"{node.address}:{node.port}"
    with contextlib.ExitStack() as stack:
        # Nothing was set aside yet, or the queue chooses another leader.
        stack.enter_context(contextlib.suppress(amqp.NotFound, amqp.InternalError))
        connection = stack.enter_context(amqp.Connection(where, "guest", "guest", login_method="PLAIN"))
        channel = connection.channel()
        while (message := channel.basic_get(SET_ASIDE, no_ack=True)) is not None:
            body = message.body
            found.append(body if isinstance(body, bytes) else body.encode())
    return found
