"""The broker is killed, cut off, its queues deleted: requests are slow, not failed, and nothing is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import amqp
import pytest

from nova.errors.rpc import NoAnswer
from nova.rpc.rabbit.queues import TO_ALL_EXCHANGE
from nova.rpc.transport import Address, Unreachable
from tests.contract.rpc.shop import Endpoint, Shop, Tea, asked
from tests.contract.rpc.sites import Ear, Site, listening, new_topic
from tests.support.eventually import eventually
from tests.support.rabbitmq import Broker

RESUMED_WITHIN_S = 30.0
"""On a machine with nothing else to do it is one or two; a full one must not fail this."""
PATIENCE = {"broker_wait_s": 170.0, "resend_after_s": 3.0}


class Load:
    """Threads that look, buy and deliver until they are told to stop; what fails is kept."""

    def __init__(self, shop: Shop, site: Site, patience_s: float | None = None) -> None:
        self.patience_s = patience_s
        self.client = shop.client(site.transport(), **PATIENCE)
        self.wrong: list[str] = []
        self.bought: list[str] = []
        self.untold: list[str] = []
        """Bought or not: the answer did not come."""
        self.delivered: list[int] = []
        self.looked_at = [time.monotonic()]
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._repeat, args=(work, who), daemon=True)
            for who, work in enumerate((self._look, self._look, self._buy, self._buy, self._deliver))
        ]

    def _repeat(self, work: object, who: int) -> None:
        number = 0
        while not self._stopping.is_set():
            number += 1
            try:
                work(who * 100_000 + number)  # type: ignore[operator]
            except Exception as error:
                self.wrong.append(f"{work}: {type(error).__name__}: {error}")
            self._stopping.wait(0.01)

    def _look(self, number: int) -> None:
        tea = Tea(name=f"tea {number}")
        assert self.client.any.look(asked(), tea) == tea
        self.looked_at.append(time.monotonic())

    def _buy(self, number: int) -> None:
        try:
            assert self.client.any.buy(asked(self.patience_s), str(number)) == 1
        except NoAnswer:
            # The queue was deleted with this request in it, or the answer was on a connection that was cut.
            assert self.patience_s is not None
            self.untold.append(str(number))
        else:
            self.bought.append(str(number))

    def _deliver(self, number: int) -> None:
        self.client.any.deliver(asked(), number)
        self.delivered.append(number)

    def _counts(self) -> tuple[int, int, int]:
        return len(self.looked_at), len(self.bought) + len(self.untold), len(self.delivered)

    @contextmanager
    def running(self) -> Iterator[None]:
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            for thread in self._threads:
                thread.join(180)
        assert not any(thread.is_alive() for thread in self._threads)

    def progress(self, within_s: float) -> float:
        """Wait until every kind of request was done again; return how long that took."""
        begun = time.monotonic()
        counts = self._counts()
        eventually(
            lambda: all(now > before + 3 for now, before in zip(self._counts(), counts, strict=True)),
            within_s=within_s,
            what="requests go on",
        )
        return time.monotonic() - begun


def _nothing_lost(load: Load, endpoint: Endpoint) -> None:
    assert load.wrong == []
    assert set(load.bought) <= set(endpoint.bought) and max(endpoint.bought.values()) == 1
    # Told ok means done, if not at once; it may be done twice.
    eventually(lambda: set(load.delivered) <= set(endpoint.delivered), within_s=60)


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
    _nothing_lost(load, endpoint)
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
    _nothing_lost(load, endpoint)


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
