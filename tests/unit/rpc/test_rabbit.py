"""Addresses of brokers, and messages as bytes."""

from __future__ import annotations

import random
from typing import Any

import amqp
import pytest
from amqp.basic_message import Message
from amqp.serialization import dumps

from nova import conf as nova_conf
from nova.rpc.rabbit import frames
from nova.rpc.rabbit.brokers import Broker, Tls, read_url, site_of
from nova.rpc.rabbit.transport import RabbitTransport
from nova.rpc.rabbit.wire import Frames
from nova.rpc.transport import make_transport


def test_addresses_name_one_broker_or_several() -> None:
    site = read_url("rabbit://u%40x:p%2F1@one:1,two,m@[::1]:7/my%2Fhost?ssl=1")
    assert site.brokers == (
        Broker("one", 1, "u@x", "p/1"), Broker("two", 5671, "guest", "guest"), Broker("::1", 7, "m", "guest")
    )  # fmt: skip
    assert (site.virtual_host, site.tls) == ("my/host", Tls())
    plain = read_url("rabbit://a:b@h/")
    assert (plain.brokers[0].port, plain.virtual_host, plain.tls, plain.quorum) == (5672, "/", None, True)
    assert "p/1" not in repr(site.brokers)


@pytest.mark.parametrize(
    "url", ["rabbit://", "rabbit:///v", "rabbit://u:secret@:1/", "rabbit://u:secret@h:x/"]
)
def test_wrong_addresses_are_told_without_the_password(url: str) -> None:
    with pytest.raises(ValueError, match=r"broker|port") as told:
        read_url(url)
    assert "secret" not in str(told.value)


def test_options_reach_the_site_and_rabbit_is_ours() -> None:
    conf = nova_conf.load(files=[])
    conf.set_override("ssl", True, group="rpc")
    conf.set_override("ssl_ca_file", "/ca", group="rpc")
    conf.set_override("heartbeat", 12, group="rpc")
    conf.set_override("quorum_queues", False, group="rpc")
    site = site_of(conf, "rabbit://h/v")
    assert (site.tls, site.heartbeat_s, site.quorum) == (Tls("/ca"), 12, False)
    made = make_transport(conf, "rabbit://127.0.0.1:1/")
    assert isinstance(made, RabbitTransport)
    made.close()


PROPERTIES = frames.Properties(
    content_type="text/plain",
    delivery_mode=2,
    correlation_id="c-1",
    reply_to="answers",
    expiration="500",
    headers=dumps("F", ({"reason": "r", "bytes": 3},))[4:],
)


def _header(
    body: bytes, number: int, channel: int = 1, frame_max: int = 4096
) -> list[tuple[int, int, bytes]]:
    data = frames.content(channel, frames.properties(PROPERTIES) + frames.short(str(number)), body, frame_max)
    cut = Frames()
    cut.feed(data)
    found = []
    while (one := cut.next()) is not None:
        found.append(one)
    return found


def test_properties_come_back_and_the_library_reads_them_too() -> None:
    (kind, channel, head), *bodies = _header(b"body", 7)
    assert (kind, channel, bodies) == (frames.HEADER, 1, [(frames.BODY, 1, b"body")])
    size, read = frames.read_header(head)
    assert size == 4 and read.message_id == "7"
    assert (read.content_type, read.correlation_id, read.reply_to) == ("text/plain", "c-1", "answers")
    assert frames.read_headers(read.headers) == {"reason": "r", "bytes": 3}
    theirs = Message()
    theirs.inbound_header(head)
    assert theirs.properties["message_id"] == "7" and theirs.properties["delivery_mode"] == 2
    assert theirs.properties["expiration"] == "500" and theirs.headers == {"reason": "r", "bytes": 3}


@pytest.mark.parametrize("size", [0, 1, 4087, 4088, 4089, 20_000])
def test_bodies_of_every_size_are_cut_into_frames_and_come_back_in_any_pieces(size: int) -> None:
    body = random.Random(size).randbytes(size)
    data = frames.content(3, frames.properties(PROPERTIES) + frames.short("1"), body, 4096)
    source, cut, found = random.Random(size + 1), Frames(), []
    while data:
        piece = source.randrange(1, 900)
        cut.feed(data[:piece])
        data = data[piece:]
        while (one := cut.next()) is not None:
            found.append(one)
    assert all(len(content) <= 4088 for _, _, content in found)
    assert b"".join(content for kind, _, content in found if kind == frames.BODY) == body
    assert frames.read_header(found[0][2])[0] == size


def test_what_is_no_frame_is_refused() -> None:
    cut = Frames()
    cut.feed(b"HTTP/1.1 400 Bad Request\r\n" + b"\x00" * 1_000)
    with pytest.raises(ValueError, match="not a frame"):
        cut.next()
    cut = Frames()
    cut.feed(b"\x08\x00\x00\x00\x00\x00\x01xx")
    with pytest.raises(ValueError, match="not a frame"):
        cut.next()
    for broken in (b"", b"\x00" * 13, b"\x00\x3c\x00\x00" + b"\xff" * 10, b"\x00\x3c\x00\x00" + b"\xff" * 40):
        with pytest.raises(ValueError, match="header"):
            frames.read_header(broken)
    assert frames.read_headers(b"\x03abc") == {}


def test_names_are_bounded() -> None:
    with pytest.raises(ValueError, match="too long"):
        frames.publish_method(1, "", "q" * 256)


class OneNodeDown:
    """A connection to a cluster without the node of the first queue it is asked for; its own channel."""

    def __init__(self) -> None:
        self.lost: str | None = None
        self.consumed: list[str] = []

    def channel(self, _number: int) -> OneNodeDown:
        return self

    def confirm_select(self) -> None:
        """Nothing to do."""

    def queue_declare(self, name: str, **_: object) -> None:
        self.lost = self.lost or name
        if name == self.lost:
            raise amqp.NotFound(f"home node of durable queue '{name}' is down or inaccessible")

    def basic_consume(self, name: str, *_: object, **__: object) -> None:
        self.consumed.append(name)


def test_answers_are_heard_elsewhere_while_the_node_of_their_queue_is_down() -> None:
    transport = RabbitTransport(read_url("rabbit://127.0.0.1:1/"))
    cluster: Any = OneNodeDown()
    with pytest.raises(amqp.NotFound):
        transport.opened(cluster)  # and the link connects anew
    transport.opened(cluster)
    assert len(cluster.consumed) == 1
    assert cluster.consumed[0].startswith("nova.answers.") and cluster.consumed[0] != cluster.lost
    transport.close()
