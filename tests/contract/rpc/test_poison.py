"""Messages that nobody can serve are set aside with the reason, counted, and harm nothing."""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import amqp
import msgspec
import pytest

from nova.errors import NovaError
from nova.errors.rpc import BadMessage, UnsupportedVersion
from nova.rpc import payload
from nova.rpc.contract import describe
from nova.rpc.rabbit.queues import SET_ASIDE
from nova.rpc.transport import Address
from tests.contract.rpc.shop import Endpoint, Shop, Tea, asked
from tests.contract.rpc.sites import Site
from tests.support.eventually import eventually
from tests.support.rabbitmq import Broker

MOST = 50_000


@pytest.fixture
def shop() -> Shop:
    return Shop()


def _request(shop: Shop, method: str = "look", since: tuple[int, int] = (1, 0), **changed: Any) -> bytes:
    tea = describe(shop.contract).methods["look"].arguments(Tea(name="x"))
    parts = {"method": method, "since": since, "id": "call-9", "ttl": 20.0, "ctx": asked(), "arguments": tea}
    return msgspec.msgpack.encode([*(parts | changed).values()])


POISON: dict[str, tuple[str, type[NovaError], Callable[[Shop], bytes]]] = {
    "garbage": ("garbage", BadMessage, lambda shop: b"\xc1\xff\x00" * 20),
    "nothing": ("garbage", BadMessage, lambda shop: b""),
    "truncated": ("garbage", BadMessage, lambda shop: _request(shop)[:-5]),
    "json": ("garbage", BadMessage, lambda shop: json.dumps({"method": "look", "args": {}}).encode()),
    "nested": ("garbage", BadMessage, lambda shop: b"\x91" * 10_000),
    "huge": ("too large", BadMessage, lambda shop: _request(shop, pad="x" * MOST)),
    "future": ("future version", UnsupportedVersion, lambda shop: _request(shop, since=(1, 9))),
    "next major": ("future version", UnsupportedVersion, lambda shop: _request(shop, since=(2, 0))),
    "unknown method": ("unknown method", UnsupportedVersion, lambda shop: _request(shop, "steal")),
    "private method": ("unknown method", UnsupportedVersion, lambda shop: _request(shop, "__init__")),
    "wrong type": ("wrong arguments", BadMessage, lambda shop: _request(shop, arguments={"tea": 7})),
    "arguments missing": ("wrong arguments", BadMessage, lambda shop: _request(shop, arguments={})),
    "no arguments": ("wrong arguments", BadMessage, lambda shop: _request(shop, arguments=None)),
    "no context": ("garbage", BadMessage, lambda shop: _request(shop, ctx=None)),
    "empty context": ("garbage", BadMessage, lambda shop: _request(shop, ctx={})),
}


def _counts(shop: Shop, reason: str, wanted: float) -> bool:
    return shop.count("nova_rpc_set_aside", reason=reason) == wanted


@contextmanager
def _open(site: Site, shop: Shop) -> Iterator[Endpoint]:
    endpoint = Endpoint()
    with shop.served(site.transport(), endpoint, max_body_bytes=MOST, pool_size=2):
        yield endpoint


def test_each_is_answered_with_an_error_and_counted_and_the_next_is_served(
    site: Site, shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    endpoint = Endpoint()
    transport, reader = site.transport(), payload.ReplyReader[Tea](Tea)
    client = shop.client(site.transport())
    with shop.served(site.transport(), endpoint, max_body_bytes=MOST, pool_size=2) as server:
        for name, (reason, error, make) in POISON.items():
            set_aside = shop.count("nova_rpc_set_aside", reason=reason)
            body = make(shop)
            with pytest.raises(error):
                reader.read(transport.call(Address(shop.topic), body, 20.0))
            transport.cast(Address(shop.topic), body)
            eventually(functools.partial(_counts, shop, reason, set_aside + 2), within_s=20, what=name)
            assert client.any.look(asked(), Tea(name=name)) == Tea(name=name)
            entry = server.set_aside[-1]
            assert entry.reason.startswith(reason) and entry.head == body[:256] and entry.topic == shop.topic
        assert len(server.set_aside) == 2 * len(POISON)
    said = [record.getMessage() for record in caplog.records if "set a message aside" in record.getMessage()]
    assert len(said) == 2 * len(POISON)
    assert not any("x" * 50 in line for line in said)


def test_what_is_replayed_is_not_done_again(site: Site, shop: Shop) -> None:
    transport = site.transport()
    with _open(site, shop) as endpoint:
        arguments = describe(shop.contract).methods["buy"].arguments("tea")
        late = payload.encode_request("buy", (1, 0), "yesterday", -5.0, asked(), arguments)
        transport.cast(Address(shop.topic), late)
        eventually(lambda: shop.count("nova_rpc_expired") == 1, within_s=20)
        again = payload.encode_request("buy", (1, 0), "today", 20.0, asked(), arguments)
        reader = payload.ReplyReader[int](int)
        assert [reader.read(transport.call(Address(shop.topic), again, 20.0)) for _ in range(3)] == [1, 1, 1]
        assert endpoint.bought == {"tea": 1}


def test_an_answer_that_cannot_be_read_is_an_error_of_its_own(site: Site, shop: Shop) -> None:
    client = shop.client(site.transport())
    answers = [
        b"\xc1",
        msgspec.msgpack.encode({}),
        msgspec.msgpack.encode({"error": ["NotFound", {"self": 1}]}),
    ]
    for answer in answers:
        strange = site.transport()
        listener = strange.listen(
            shop.topic,
            "strange",
            lambda i, a=answer: (i.begin(), i.end(), i.reply(a)),  # type: ignore[misc]
        )
        with pytest.raises(BadMessage):
            client.any.look(asked(), Tea(name="x"))
        listener.stop()


@contextmanager
def _stranger(broker: Broker) -> Iterator[amqp.Channel]:
    """Connect as somebody who does not use our code."""
    with amqp.Connection(f"127.0.0.1:{broker.port}", "guest", "guest", login_method="PLAIN") as connection:
        yield connection.channel()


def test_strangers_messages_are_set_aside_where_operators_look(
    broker: Broker, shop: Shop, request: pytest.FixtureRequest
) -> None:
    rabbit_site = Site(broker.url, {"max_message": MOST})
    request.addfinalizer(rabbit_site.close)
    oslo = json.dumps({"oslo.version": "2.0", "oslo.message": json.dumps({"method": "look", "args": {}})})
    envelopes: list[tuple[bytes, dict[str, Any]]] = [
        (b"\x00\xffgarbage", {}),
        (oslo.encode(), {"content_type": "application/json", "content_encoding": "utf-8", "priority": 3}),
        (b"{}", {"application_headers": {"a": {"b": [1, "x", None]}}, "timestamp": 1, "type": "t"}),
        (b"", {"app_id": "a", "correlation_id": "\N{SNOWMAN}" * 60, "expiration": "600000"}),
        (b"no queue has this name", {"reply_to": "nova.nobody", "correlation_id": "1"}),
        (b"h" * (MOST + 200_000), {"message_id": "not a number"}),
    ]
    with _open(rabbit_site, shop), _stranger(broker) as channel:
        channel.queue_declare("stranger", exclusive=True)
        for body, properties in envelopes:
            message = amqp.Message(body, **properties)
            channel.basic_publish(message, "", f"nova.{shop.topic}", mandatory=True)
        wanted = amqp.Message(b"{}", reply_to="stranger", correlation_id="c-1", content_type="text/plain")
        channel.basic_publish(wanted, "", f"nova.{shop.topic}.one")
        eventually(lambda: shop.count("nova_rpc_set_aside") == len(envelopes) + 1, within_s=30)

        answer = eventually(lambda: channel.basic_get("stranger", no_ack=True), within_s=20)
        assert answer.properties["correlation_id"] == "c-1"
        with pytest.raises(BadMessage):
            payload.ReplyReader[int](int).read(_bytes(answer.body))

        client = shop.client(rabbit_site.transport())
        assert client.any.look(asked(), Tea(name="after")) == Tea(name="after")

        kept: dict[bytes, dict[str, Any]] = {}

        def all_kept() -> bool:
            message = channel.basic_get(SET_ASIDE, no_ack=True)
            if message is not None and message.headers["topic"] == shop.topic:
                kept[_bytes(message.body)[:20]] = message.headers
            return len(kept) == len(envelopes)

        eventually(all_kept, within_s=20)
        assert {body[:20] for body, _ in envelopes} | {b"{}"} == set(kept)
        assert kept[b"h" * 20]["reason"].startswith("too large")
        assert kept[oslo.encode()[:20]]["reason"].startswith("garbage")


def _bytes(body: Any) -> bytes:
    return body if isinstance(body, bytes) else bytes(body, "latin-1")


def test_a_queue_for_it_that_is_there_otherwise_is_used(
    broker: Broker, rabbit_site: Site, shop: Shop
) -> None:
    """As one of another release, or one that an operator made."""
    with _open(rabbit_site, shop), _stranger(broker) as channel:
        channel.queue_delete(SET_ASIDE)
        channel.queue_declare(SET_ASIDE, durable=True, auto_delete=False)
        channel.basic_publish(amqp.Message(b"garbage"), "", f"nova.{shop.topic}")
        assert eventually(lambda: channel.basic_get(SET_ASIDE, no_ack=True), within_s=20).body
        channel.queue_delete(SET_ASIDE)


def test_poison_that_cannot_be_kept_breaks_no_connection(
    broker: Broker, rabbit_site: Site, shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    """As while the node of the cluster that has the queue is down."""
    caplog.set_level(logging.WARNING)
    with _open(rabbit_site, shop), _stranger(broker) as owner:
        owner.queue_delete(SET_ASIDE)
        owner.queue_declare(SET_ASIDE, exclusive=True)
        client = shop.client(rabbit_site.transport())
        client.any.look(asked(), Tea(name="before"))
        before = _connections(broker)
        with _stranger(broker) as channel:
            for number in (1, 2):
                channel.basic_publish(amqp.Message(b"garbage"), "", f"nova.{shop.topic}")
                eventually(functools.partial(_told_that_it_cannot_be_kept, caplog, number), within_s=20)
        assert client.any.look(asked(), Tea(name="after")) == Tea(name="after")
        assert before <= _connections(broker)
        assert shop.count("nova_rpc_set_aside", reason="garbage") == 2


def _told_that_it_cannot_be_kept(caplog: pytest.LogCaptureFixture, times: int) -> bool:
    return len([r for r in caplog.messages if "could not be kept" in r and "RESOURCE_LOCKED" in r]) == times


def _connections(broker: Broker) -> set[str]:
    return set(broker.control("-q", "list_connections", "pid").split())


def test_a_request_that_every_server_dies_of_is_set_aside(
    broker: Broker, rabbit_site: Site, shop: Shop
) -> None:
    """A cast that is handed back over and over counts as begun and never finished."""
    dying = rabbit_site.transport()
    times = 0

    def die(incoming: Any) -> None:
        nonlocal times
        times += 1
        incoming.hand_back()

    listener = dying.listen(shop.topic, "one", die)
    client = shop.client(rabbit_site.transport())
    client.any.deliver(asked(), 666)
    eventually(lambda: times > 25, within_s=30)
    listener.stop()
    with _open(rabbit_site, shop) as endpoint:
        eventually(lambda: shop.count("nova_rpc_set_aside", reason="came too often") == 1, within_s=20)
        client.any.deliver(asked(), 1)
        eventually(lambda: endpoint.delivered == [1], within_s=20)
