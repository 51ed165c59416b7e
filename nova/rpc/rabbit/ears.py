"""Listening: one channel for each server of a topic, and its messages."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any, Protocol

import amqp

from nova.rpc.rabbit import frames, queues
from nova.rpc.rabbit.connection import Connection
from nova.rpc.rabbit.frames import Delivery
from nova.rpc.transport import Incoming


class Mouth(Protocol):
    """What a message needs to be answered or put aside."""

    def answer(self, queue: str, correlation_id: str, body: bytes, patience_s: float) -> None: ...

    def set_aside(self, topic: str, reason: str, delivery: Delivery) -> None: ...


class RabbitIncoming:
    """One message, acknowledged when it is done; a call that may be done once only, when its work begins."""

    __slots__ = ("_channel", "_connection", "_delivery", "_mouth", "_settled", "_topic")

    def __init__(self, ear: Ear, connection: Connection, delivery: Delivery, *, settled: bool) -> None:
        self._mouth = ear.mouth
        self._topic = ear.topic
        self._channel = ear.channel
        self._connection = connection
        self._delivery = delivery
        self._settled = settled

    @property
    def body(self) -> bytes:
        return self._delivery.body

    @property
    def expects_reply(self) -> bool:
        return bool(self._delivery.properties.reply_to)

    @property
    def deliveries(self) -> int:
        if not self._delivery.redelivered:
            return 1
        count = frames.read_headers(self._delivery.properties.headers).get("x-delivery-count")
        return count + 1 if isinstance(count, int) else 2

    def begin(self) -> None:
        if self.expects_reply:
            self._settle(frames.ack)

    def end(self) -> None:
        self._settle(frames.ack)

    def reply(self, body: bytes) -> None:
        properties = self._delivery.properties
        if properties.reply_to:
            wait = properties.expiration
            patience_s = int(wait) / 1000 if wait.isdigit() else 0.0
            self._mouth.answer(properties.reply_to, properties.correlation_id, body, patience_s)

    def hand_back(self) -> bool:
        return self._settle(frames.requeue)

    def set_aside(self, reason: str) -> None:
        self._mouth.set_aside(self._topic, reason, self._delivery)

    def _settle(self, how: Callable[[int, int], bytes]) -> bool:
        if self._settled:
            return False
        self._settled = True
        # When the connection has gone the broker gives the message to another server anyway.
        with contextlib.suppress(OSError):
            self._connection.send(how(self._channel, self._delivery.tag))
        return True


class Ear:
    """A server's ear on a topic."""

    def __init__(
        self, mouth: Mouth, topic: str, server: str, receive: Callable[[Incoming], None], *, quorum: bool
    ) -> None:
        self.mouth = mouth
        self.topic = topic
        self.server = server
        self.channel = 0
        self._receive = receive
        self._quorum = quorum
        self.stopped = False
        self._consumers: set[str] = set()
        self._copies = ""
        self._unheard = False
        self._lock = threading.Lock()

    def open(self, connection: Connection, number: int) -> None:
        """Declare everything and begin to consume, on channel ``number``."""
        channel = connection.channel(number)
        self.channel = number
        self._unheard = False
        channel.basic_qos(0, queues.PREFETCH, False)
        places = [queues.of_topic(self.topic, None), queues.of_topic(self.topic, self.server)]
        for name in places:
            queues.declare_requests(channel, name, quorum=self._quorum)
        copies = queues.declare_copies(channel, self.topic)
        self._consumers = {f"{self.channel}.{word}" for word in ("topic", "server", "all")}
        self._copies = f"{self.channel}.all"
        for word, name in zip(("topic", "server"), places, strict=True):
            channel.basic_consume(name, f"{self.channel}.{word}", callback=_taken_elsewhere)
        channel.basic_consume(copies, self._copies, no_ack=True, callback=_taken_elsewhere)

    def is_open(self, channel: Any) -> bool:
        """Tell whether the broker knows this server's own queue, and (asked twice) that somebody hears it."""
        try:
            found = channel.queue_declare(queues.of_topic(self.topic, self.server), passive=True)
        except amqp.NotFound:
            return False
        before, self._unheard = self._unheard, found.consumer_count == 0
        return not (before and self._unheard)

    def take(self, connection: Connection, delivery: Delivery) -> None:
        """Hand a message to the server, or back to the broker when it has stopped."""
        incoming = RabbitIncoming(self, connection, delivery, settled=delivery.consumer == self._copies)
        with self._lock:
            if not self.stopped:
                self._receive(incoming)
                return
        incoming.hand_back()

    def mute(self) -> None:
        """Deliver nothing after this returns."""
        with self._lock:
            self.stopped = True

    def cancel(self, connection: Connection) -> None:
        """Tell the broker that nothing more is wanted; what is at work may still be acknowledged."""
        channel = connection.channel(self.channel)
        for consumer in self._consumers:
            channel.basic_cancel(consumer)


def _taken_elsewhere(_message: object) -> None:
    """Messages never reach py-amqp: :class:`Connection` takes them."""
