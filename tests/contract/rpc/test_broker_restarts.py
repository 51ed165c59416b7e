"""The broker is killed, cut off, its queues deleted: requests are slow, not failed, and nothing is lost."""

from __future__ import annotations

import json
import threading
import time

import amqp
import pytest

from nova.rpc.rabbit.queues import TO_ALL_EXCHANGE
from nova.rpc.transport import Address, Unreachable
from tests.contract.rpc.load import PATIENCE, Load, nothing_lost
from tests.contract.rpc.shop import Endpoint, Shop, asked
from tests.contract.rpc.sites import Ear, Site, listening, new_topic
from tests.support.eventually import eventually
from tests.support.rabbitmq import Broker

RESUMED_WITHIN_S = 30.0
"""On a machine with nothing else to do it is one or two; a full one must not fail this."""


def test_a_killed_broker_makes_requests_slow_and_loses_nothing(
    broker: Broker, rabbit_site: Site, record_property: pytest.RecordProperty
) -> None:
    shop, endpoint = Shop(), Endpoint()
    load = Load(shop, rabbit_site)
    with shop.served(rabbit_site.transport(), endpoint), load.running():
        load.progress(60)
        broker.kill()
        try:
            _away(rabbit_site, shop.topic)
        finally:
            broker.start()
        resumed_s = load.progress(60)
        record_property("resumed_s", resumed_s)
        print(f"everything went on {resumed_s:.1f} s after the broker was back")
    nothing_lost(load, endpoint)
    assert resumed_s < RESUMED_WITHIN_S


def _away(site: Site, topic: str) -> None:
    """Find out that whoever comes while the broker is away is told so, within a bound."""
    begun, client = time.monotonic(), site.transport()
    with pytest.raises(Unreachable):
        client.call(Address(topic), b"away", 60.0)
    with pytest.raises(Unreachable):
        client.cast(Address(topic), b"away")
    assert time.monotonic() - begun < 30


def test_cut_connections_are_made_again(rabbit_site: Site) -> None:
    shop, endpoint = Shop(), Endpoint()
    load = Load(shop, rabbit_site, patience_s=5.0)
    with shop.served(rabbit_site.transport(), endpoint), load.running():
        load.progress(60)
        for _ in range(2):
            rabbit_site.lose_connections()
            assert load.progress(60) < RESUMED_WITHIN_S
    nothing_lost(load, endpoint)


def test_deleted_queues_are_declared_again_by_those_who_listen(broker: Broker, rabbit_site: Site) -> None:
    shop, endpoint = Shop(), Endpoint()
    load = Load(shop, rabbit_site, patience_s=5.0)
    with shop.served(rabbit_site.transport(), endpoint), load.running():
        load.progress(60)
        load.client.all.closing(asked(), "before")
        eventually(lambda: "before" in endpoint.words, within_s=20)
        with amqp.Connection(
            f"127.0.0.1:{broker.port}", "guest", "guest", login_method="PLAIN"
        ) as connection:
            channel = connection.channel()
            for name in _queues(broker):
                channel.queue_delete(name)
            with pytest.raises(amqp.exceptions.AccessRefused):
                channel.exchange_delete(TO_ALL_EXCHANGE)
            assert load.progress(60) < RESUMED_WITHIN_S
        eventually(
            lambda: load.client.all.closing(asked(), "after") or "after" in endpoint.words, within_s=20
        )
        load.client.host("one").deliver(asked(), -1)
        eventually(lambda: -1 in endpoint.delivered, within_s=20)
    assert load.wrong == []
    assert max(endpoint.bought.values()) == 1


def test_what_is_refused_is_sent_by_another_connection(broker: Broker, rabbit_site: Site) -> None:
    """A channel that was refused once may be for ever; what is under way on it goes on."""
    shop, endpoint = Shop(), Endpoint()
    transport = rabbit_site.transport()
    client = shop.client(transport, **PATIENCE)
    with shop.served(rabbit_site.transport(), endpoint):
        full = new_topic("full")
        rabbit_site.transport().listen(full, "one", Ear()).stop()
        answers: list[str] = []
        asking = threading.Thread(target=lambda: answers.append(client.any.order(asked())), daemon=True)
        asking.start()
        assert endpoint.waiting.acquire(timeout=20)
        limits = json.dumps({"max-length": 0, "overflow": "reject-publish"})
        broker.control("set_policy", "full", f"^nova.{full}$", limits, "--apply-to", "queues")
        before = _senders(broker)
        with pytest.raises(Unreachable, match="refused"):
            while True:
                transport.cast(Address(full), b"no room")
        eventually(lambda: before - _senders(broker) and _senders(broker) - before, within_s=30)
        assert client.any.buy(asked(), "tea") == 1
        endpoint.go_on.set()
        asking.join(20)
        assert answers == ["waited at "]


def _senders(broker: Broker) -> set[str]:
    said = broker.control("-q", "list_connections", "--no-table-headers", "pid", "client_properties")
    return {line.split()[0] for line in said.splitlines() if "sending" in line}


def _queues(broker: Broker) -> list[str]:
    said = broker.control("list_queues", "--quiet", "--no-table-headers", "name")
    return [name for name in said.split() if name.startswith("nova.")]


def test_what_a_dead_server_had_not_begun_is_another_ones(rabbit_site: Site) -> None:
    topic, client = new_topic(), rabbit_site.transport()
    dying, idle = rabbit_site.transport(), Ear(begins=False)
    dying.listen(topic, "one", idle)
    for number in range(5):
        client.cast(Address(topic), str(number).encode())
    begun, done, *_ = [idle.next() for _ in range(5)]
    begun.begin()
    done.begin()
    done.end()
    answers: list[bytes] = []
    asking = threading.Thread(
        target=lambda: answers.append(client.call(Address(topic), b"?", 60.0)), daemon=True
    )
    asking.start()
    assert idle.next().expects_reply
    # As a killed process does: no goodbye.
    dying.lose_connections()  # type: ignore[attr-defined]
    dying.close()

    heir = listening(rabbit_site.transport(), topic, "two")

    asking.join(60)
    assert answers == [b"heard ?"]
    heard = sorted(heir.bodies(5))
    assert heard == [b"0", b"2", b"3", b"4", b"?"], (
        "the cast that was begun comes again, the one done does not"
    )


def test_a_call_that_was_begun_is_not_begun_by_another_server(rabbit_site: Site) -> None:
    topic, client = new_topic(), rabbit_site.transport()
    dying, working = rabbit_site.transport(), Ear(begins=False)
    dying.listen(topic, "one", working)
    asking = threading.Thread(target=lambda: _swallow(client, topic), daemon=True)
    asking.start()
    working.next().begin()
    dying.lose_connections()  # type: ignore[attr-defined]
    dying.close()
    heir = listening(rabbit_site.transport(), topic, "two")
    assert client.call(Address(topic), b"next", 30.0) == b"heard next"
    assert heir.bodies(1) == [b"next"] and heir.silent


def _swallow(client: object, topic: str) -> None:
    try:
        client.call(Address(topic), b"once", 5.0)  # type: ignore[attr-defined]
    except Exception:
        return
