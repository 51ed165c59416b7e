"""Queues that are deleted under load: those who listened listen again, and no request goes to a ghost."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import amqp
import pytest

from nova.rpc.rabbit import link, transport
from nova.rpc.transport import Address, TransportError
from tests.contract.rpc.sites import Site, listening, new_topic
from tests.support.eventually import eventually
from tests.support.rabbitmq import Broker

CLIENTS = 8
PATIENCE_S = 1.0
PAUSES_S = (0.0, 0.003, 0.01, 0.02, 0.04)
"""Between the deletions of the queues that one server listens on: it is at work on the first one then."""


class Crowd:
    """Clients that ask until the end; what is not answered at once they forget."""

    def __init__(self, site: Site, topic: str) -> None:
        self._transport, self._to = site.transport(), Address(topic)
        self._over = threading.Event()
        self._numbers = itertools.count(1)
        self.seen = 0

    def _ask(self) -> None:
        while not self._over.is_set():
            try:
                self._transport.call(self._to, b"?", PATIENCE_S)
                self.seen = next(self._numbers)
            except TransportError:
                time.sleep(0.01)

    @contextmanager
    def asking(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join(30)
            self._over.clear()


def _in_hand(broker: Broker, topic: str) -> dict[str, int]:
    """Return how many messages of each queue were given to somebody who did not say that they are done."""
    said = broker.control("list_queues", "--quiet", "--no-table-headers", "name", "messages_unacknowledged")
    rows = [line.split() for line in said.splitlines()]
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and topic in row[0] and int(row[1])}


@pytest.mark.parametrize("pause_s", PAUSES_S)
def test_what_is_given_to_a_listener_reaches_it(broker: Broker, rabbit_site: Site, pause_s: float) -> None:
    topic = new_topic()
    servers = ("one", "two")
    for name in servers:
        listening(rabbit_site.transport(), topic, name)
    crowd = Crowd(rabbit_site, topic)
    with amqp.Connection(f"127.0.0.1:{broker.port}", "guest", "guest", login_method="PLAIN") as connection:
        channel = connection.channel()
        for _ in range(4):
            with crowd.asking():
                before = crowd.seen
                eventually(lambda before=before: crowd.seen > before + 100, within_s=30)
                for name in servers:
                    channel.queue_delete(f"nova.{topic}.{name}")
                    time.sleep(pause_s)
                channel.queue_delete(f"nova.{topic}")
                before = crowd.seen
                eventually(lambda before=before: crowd.seen > before + 100, within_s=30)
            # Whoever is given something answers at once: nothing may be in hand for longer.
            eventually(lambda: _in_hand(broker, topic) == {}, within_s=10)


def test_whoever_was_not_told_that_its_queues_have_gone_finds_out(
    broker: Broker, rabbit_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As nodes of a cluster may forget to tell."""
    monkeypatch.setattr(link, "_LOOK_S", 1.0)
    for deaf in (transport.RabbitTransport, transport._Hearing):
        monkeypatch.setattr(deaf, "cancelled", lambda *_: None)
    topic, client = new_topic(), rabbit_site.transport()
    listening(rabbit_site.transport(), topic, "one")
    assert client.call(Address(topic, "one"), b"?", 20.0) == b"heard ?"
    with amqp.Connection(f"127.0.0.1:{broker.port}", "guest", "guest", login_method="PLAIN") as connection:
        channel = connection.channel()
        for name in broker.control("list_queues", "--quiet", "--no-table-headers", "name").split():
            if name.startswith("nova."):
                channel.queue_delete(name)

    def answered() -> bool:
        try:
            return client.call(Address(topic, "one"), b"!", 1.0) == b"heard !"
        except TransportError:
            return False

    eventually(answered, within_s=30)


def test_a_queue_that_nobody_hears_is_listened_on_again(
    broker: Broker, rabbit_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "_LOOK_S", 1.0)
    topic, client = new_topic(), rabbit_site.transport()
    server = rabbit_site.transport()
    listening(server, topic, "one")
    server._ear.declare(lambda c: c.channel(2).basic_cancel("2.server"))  # type: ignore[attr-defined]
    assert client.call(Address(topic, "one"), b"?", 30.0) == b"heard ?"
