"""A :class:`~nova.rpc.transport.Transport` over RabbitMQ: two connections, whatever a process does.

One sends (requests and answers) and hears the answers to its own calls; the other listens for requests, so
that a broker which holds back senders still gives out work.
"""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable

import amqp
from amqp.serialization import dumps

from nova import ids
from nova.clock import Clock
from nova.rpc.rabbit import frames, queues
from nova.rpc.rabbit.answers import Answer, Answers
from nova.rpc.rabbit.brokers import Site
from nova.rpc.rabbit.connection import Connection
from nova.rpc.rabbit.ears import Ear
from nova.rpc.rabbit.frames import DURABLE, TRANSIENT, Delivery, Properties
from nova.rpc.rabbit.link import Link
from nova.rpc.transport import (
    Address,
    Incoming,
    Listener,
    ReplyTimeout,
    TransportError,
    Unconfirmed,
    Unreachable,
)

_LOG = logging.getLogger(__name__)

_CONFIRM_S = 20.0
"""How long a cast waits for the broker's word that it has it."""
_LISTEN_S = 10.0
"""How long listening tries to begin; a daemon tries again, as long as it takes."""
_SOON_S, _QUIET_S = 0.2, 2.5
"""After a queue was deleted, and after the last one was."""
_RENEWED_AGAIN_S, _RENEWED_SELDOM_S = 1.0, 30.0
"""The connection for sending is replaced so often at most: at first, and while that does not help."""
_RETIRE_S = 5.0
_HEAD_KEPT = 65_536
"""Of a message that is put aside, this many bytes."""


class _Sent:
    """A message whose sender waits: for the broker's word, or (a call) for the answer."""

    __slots__ = ("_done", "_is_call", "answer", "confirmed_by_broker", "error")

    def __init__(self, *, is_call: bool) -> None:
        self._is_call = is_call
        self._done = threading.Lock()
        self._done.acquire()
        self.answer: bytes | None = None
        self.error: TransportError | None = None
        self.confirmed_by_broker = False

    def confirmed(self) -> None:
        self.confirmed_by_broker = True
        if not self._is_call:
            self._wake()

    def failed(self, reason: str) -> None:
        self.error = Unreachable(reason)
        self._wake()

    def lost(self, reason: str) -> None:
        self.error = Unconfirmed(reason)
        self._wake()

    def answered(self, body: bytes) -> None:
        self.answer = body
        self._wake()

    def _wake(self) -> None:
        try:
            self._done.release()
        except RuntimeError:
            # It was woken already: an answer and the loss of a connection may come together.
            return

    def wait(self, timeout_s: float) -> bool:
        return self._done.acquire(timeout=max(0.0, timeout_s))


def _later(seconds: float, deed: Callable[[], None]) -> threading.Timer:
    timer = threading.Timer(seconds, deed)
    timer.daemon = True
    timer.start()
    return timer


class _Hearing:
    """Owns the connection that listens."""

    def __init__(self) -> None:
        self.ears: dict[int, Ear] = {}
        self._numbers = itertools.count(2)
        self._lock = threading.Lock()
        self._when_quiet: threading.Timer | None = None
        self.lose: Callable[[], None] = lambda: None
        """Breaks the connection there is."""

    def add(self, ear: Ear) -> int:
        with self._lock:
            number = next(self._numbers)
            self.ears[number] = ear
            return number

    def opened(self, connection: Connection) -> None:
        # Channel 1 is the connection's own, to be woken on.
        connection.channel(1)
        for number, ear in list(self.ears.items()):
            if ear.stopped:
                # It was kept for what was still at work; that is another server's now.
                self.ears.pop(number, None)
                continue
            try:
                ear.open(connection, number)
            except amqp.NotFound:
                self._once_quiet()  # it was deleted after it had been declared
                raise

    def delivered(self, connection: Connection, channel: int, delivery: Delivery) -> None:
        ear = self.ears.get(channel)
        if ear is not None:
            ear.take(connection, delivery)

    def cancelled(self, connection: Connection, channel: int) -> None:
        ear = self.ears.get(channel)
        if ear is not None and not ear.stopped:
            _LOG.warning("a queue of %s was deleted: listening anew", ear.topic)
            _later(_SOON_S, connection.wire.close)
            self._once_quiet()

    def _once_quiet(self) -> None:
        """Have another connection declare everything when queues are no longer deleted.

        RabbitMQ (3.10, quorum queues) may take a consumer that comes while a queue is being deleted over to
        the next queue of that name: it counts messages as given to it, sends none, and tells nobody.
        """
        with self._lock:
            if self._when_quiet is not None:
                self._when_quiet.cancel()
            self._when_quiet = _later(_QUIET_S, self.lose)

    def look(self, connection: Connection) -> None:
        """Listen anew if the broker does not know that this listens.

        A cluster of RabbitMQ (3.10) may delete a quorum queue and not tell who consumes from another node.
        """
        for ear in list(self.ears.values()):
            if not ear.stopped and not ear.is_open(connection.channel(1)):
                self._once_quiet()
                raise ConnectionResetError(f"a queue of {ear.topic} has gone")

    def refused(self, connection: Connection) -> None:
        """Nothing is sent here."""

    def lost(self) -> None:
        """The ears open again with the next connection."""


class RabbitTransport:
    """Calls, casts and listeners over one message system."""

    def __init__(self, site: Site, *, clock: Clock | None = None, max_body: int = 64 * 1024 * 1024) -> None:
        self._site = site
        self._clock = clock or Clock()
        self._closed = False
        self._answers_here = queues.answers(ids.new_uuid())
        self._calls: dict[str, _Sent] = {}
        self._numbers = itertools.count(1)
        self._methods: dict[str, bytes] = {}
        self._hearing = _Hearing()
        self._ear = Link(site, "listening", self._hearing, self._clock, max_body)
        self._hearing.lose = self._ear.lose
        self._max_body = max_body
        self._mouth = self._new_mouth()
        self._answers = Answers(self._mouth, self._clock)
        self._renewed_at, self._renewed_again_s = float("-inf"), _RENEWED_AGAIN_S

    def _new_mouth(self) -> Link:
        return Link(self._site, "sending", self, self._clock, self._max_body)

    # The thread that reads the sending connection calls these.

    def opened(self, connection: Connection) -> None:
        channel = connection.channel(1)
        channel.confirm_select()
        self._hear_answers(connection)

    def _hear_answers(self, connection: Connection) -> None:
        channel = connection.channel(1)
        try:
            queues.declare_answers(channel, self._answers_here)
        except amqp.NotFound:
            # It is at a node of the cluster that is down, and comes back only with it.
            self._answers_here = queues.answers(ids.new_uuid())
            raise
        channel.basic_consume(self._answers_here, "answers", no_ack=True, callback=_taken_elsewhere)

    def delivered(self, _connection: Connection, _channel: int, delivery: Delivery) -> None:
        waiting = self._calls.get(delivery.properties.correlation_id)
        # An answer that nobody waits for any more, or a second one.
        if waiting is not None and waiting.answer is None:
            waiting.answered(delivery.body)

    def cancelled(self, connection: Connection, _channel: int) -> None:
        self._hear_answers(connection)

    def look(self, connection: Connection) -> None:
        """Declare the queue of answers again if the broker does not know it."""
        try:
            connection.channel(2).queue_declare(self._answers_here, passive=True)
        except amqp.NotFound:
            _LOG.warning("the queue of answers has gone: declaring it again")
            self._hear_answers(connection)

    def refused(self, connection: Connection) -> None:
        """Send by another connection; what is under way on this one goes on there.

        RabbitMQ (3.10): when the node of a quorum queue's leader dies before a channel has sent anything to
        that queue, all that the channel sends to it is refused as long as the node is away, though the queue
        has another leader and takes what comes by other channels.
        """
        now = self._clock.monotonic()
        since_s = now - self._renewed_at
        if self._closed or since_s < self._renewed_again_s or not self._mouth.is_at(connection):
            return
        helped = since_s > 2 * _RENEWED_SELDOM_S
        longer_s = min(_RENEWED_SELDOM_S, 2 * self._renewed_again_s)
        self._renewed_again_s = _RENEWED_AGAIN_S if helped else longer_s
        self._renewed_at = now
        threading.Thread(target=self._renew, name="rabbit-renewing", daemon=True).start()

    def _renew(self) -> None:
        new = self._new_mouth()
        try:
            new.connection(_LISTEN_S)
        except TransportError as error:
            _LOG.debug("no other connection for sending: %s", error)
            new.close()
            return
        old, self._mouth = self._mouth, new
        self._answers.link = new
        _LOG.info("the broker refused a message: sending by another connection")
        # Answers that are on their way come before the broker's word that it stops.
        old.retire(lambda connection: connection.channel(1).basic_cancel("answers"), _RETIRE_S)
        if self._closed:
            new.close()

    def lost(self) -> None:
        """Calls whose request the broker has go on waiting: their answers come to the same queue."""

    # The interface.

    def call(self, to: Address, body: bytes, timeout_s: float) -> bytes:
        if self._closed:
            raise Unreachable("the transport is closed")
        number = str(next(self._numbers))
        props = frames.properties(
            Properties(
                delivery_mode=TRANSIENT,
                correlation_id=number,
                reply_to=self._answers_here,
                expiration=str(int(timeout_s * 1000) + 1),
            )
        )
        sent = self._calls[number] = _Sent(is_call=True)
        try:
            self._mouth.publish(self._method(queues.of_topic(to.topic, to.server)), props, body, sent)
            if not sent.wait(timeout_s):
                raise ReplyTimeout
        finally:
            del self._calls[number]
        if sent.answer is not None:
            return sent.answer
        raise sent.error or Unconfirmed("the transport was closed")

    def cast(self, to: Address, body: bytes) -> None:
        if self._closed:
            raise Unreachable("the transport is closed")
        sent = _Sent(is_call=False)
        if to.fanout:
            key = queues.to_all(to.topic)
            method = frames.publish_method(1, queues.TO_ALL_EXCHANGE, key, mandatory=False)
            props = frames.properties(Properties())
        else:
            method = self._method(queues.of_topic(to.topic, to.server))
            props = frames.properties(Properties(delivery_mode=DURABLE))
        self._mouth.publish(method, props, body, sent)
        if not sent.wait(_CONFIRM_S):
            raise Unconfirmed("the broker did not confirm the message in time")
        if sent.error is not None:
            raise sent.error

    def _method(self, queue: str) -> bytes:
        found = self._methods.get(queue)
        if found is None:
            if len(self._methods) > 10_000:
                # Queues of answers come and go with the processes of a cloud.
                self._methods.clear()
            found = self._methods[queue] = frames.publish_method(1, "", queue)
        return found

    def listen(self, topic: str, server: str, receive: Callable[[Incoming], None]) -> Listener:
        ear = Ear(self, topic, server, receive, quorum=self._site.quorum)
        number = self._hearing.add(ear)
        give_up = self._clock.monotonic() + _LISTEN_S
        while True:
            try:
                self._ear.declare(lambda connection: self._open(connection, ear, number))
                return _RabbitListener(self, ear)
            except TransportError:
                # The next connection opens it, if it can be opened at all.
                if self._closed or self._clock.monotonic() >= give_up:
                    ear.mute()
                    raise

    @staticmethod
    def _open(connection: Connection, ear: Ear, number: int) -> None:
        # The thread that reads may have opened it with a new connection meanwhile.
        if number not in (connection.channels or ()):
            ear.open(connection, number)

    def stop_listening(self, ear: Ear) -> None:
        ear.mute()
        try:
            self._ear.declare(ear.cancel, 1.0)
        except TransportError:
            _LOG.debug("the broker was away when listening on %s ended", ear.topic)

    def answer(self, queue: str, correlation_id: str, body: bytes, patience_s: float) -> None:
        """Send an answer, again and again while its queue is on its way back; never raises."""
        props = frames.properties(Properties(correlation_id=correlation_id))
        try:
            method = self._method(queue)
        except ValueError:
            _LOG.warning("a message wants its answer where no queue can be: %.40s...", queue)
            return
        self._answers.send(Answer(self._answers, method, props, body, patience_s))

    def set_aside(self, topic: str, reason: str, delivery: Delivery) -> None:
        """Keep a message that nobody can serve where an operator finds it; never raises."""
        headers = dumps("F", ({"reason": reason[:200], "topic": topic, "bytes": len(delivery.body)},))[4:]
        props = frames.properties(
            Properties(
                content_type=delivery.properties.content_type or "application/octet-stream",
                delivery_mode=DURABLE,
                headers=headers,
            )
        )
        refused: list[amqp.ChannelError] = []

        def declare(connection: Connection) -> None:
            try:
                queues.declare_set_aside(connection.channel(2), quorum=self._site.quorum)
            except amqp.ChannelError as error:  # the connection goes on, with what others sent by it
                refused.append(error)

        try:
            self._mouth.declare(declare, 5.0)
            if refused and not isinstance(refused[0], amqp.PreconditionFailed):  # it is there, but otherwise
                raise Unreachable(str(refused[0]))
        except TransportError as error:
            _LOG.warning("a message could not be kept in %s: %s", queues.SET_ASIDE, error)
            return
        method, body = self._method(queues.SET_ASIDE), delivery.body[:_HEAD_KEPT]
        self._answers.send(Answer(self._answers, method, props, body, _CONFIRM_S))

    def lose_connections(self) -> None:
        """Break both connections without a word; they are made again."""
        self._ear.lose()
        self._mouth.lose()

    def close(self) -> None:
        self._closed = True
        for ear in list(self._hearing.ears.values()):
            ear.mute()
        self._ear.close()
        self._answers.close()
        self._mouth.close()
        for sent in list(self._calls.values()):
            sent.lost("the transport was closed")


class _RabbitListener:
    def __init__(self, transport: RabbitTransport, ear: Ear) -> None:
        self._transport = transport
        self._ear = ear
        self._stopped = False

    def stop(self) -> None:
        if not self._stopped:
            self._stopped = True
            self._transport.stop_listening(self._ear)


def _taken_elsewhere(_message: object) -> None:
    """Messages never reach py-amqp: :class:`Connection` takes them."""
