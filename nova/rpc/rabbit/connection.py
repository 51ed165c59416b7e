"""One connection while it lasts: py-amqp's, with messages and confirmations taken past it."""

from __future__ import annotations

import contextlib
import struct
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import amqp

from nova.clock import Clock
from nova.rpc.rabbit import frames
from nova.rpc.rabbit.brokers import Broker, Site
from nova.rpc.rabbit.frames import Delivery
from nova.rpc.rabbit.wire import Frames, Wire

if TYPE_CHECKING:
    from nova.rpc.rabbit.link import Waiter

_TAKEN = frozenset((frames.DELIVER, frames.RETURN, frames.ACK, frames.NACK, frames.CANCEL))
_SIGNATURE = struct.Struct(">HH")
_NUDGE = frames.frame(frames.METHOD, 1, struct.pack(">HHIHB", 60, 10, 0, 0, 0))
"""basic.qos without a limit on channel 1, which has nothing to limit: the broker answers it."""
_GOODBYE = frames.frame(frames.METHOD, 0, struct.pack(">HHHBHH", 10, 50, 200, 0, 0, 0))
"""connection.close"""


class _Deed:
    """Something the thread that reads does for another one."""

    __slots__ = ("done", "error", "work")

    def __init__(self, work: Callable[[Connection], None]) -> None:
        self.work = work
        self.error = ""
        self.done = threading.Event()


class _Partial:
    """A message whose frames are still coming."""

    __slots__ = ("left", "method", "parts", "properties", "signature", "size")

    def __init__(self, signature: tuple[int, int], method: bytes) -> None:
        self.signature = signature
        self.method = method
        self.parts: list[bytes] = []
        self.properties = frames.Properties()
        self.size = self.left = 0


class Connection(amqp.Connection):  # type: ignore[misc]
    """Made, opened and read by one thread; published on by all."""

    def __init__(self, site: Site, broker: Broker, name: str, *, clock: Clock, connect_s: float) -> None:
        super().__init__(
            host=f"{broker.host}:{broker.port}",
            userid=broker.user,
            password=broker.password,
            login_method="PLAIN",
            virtual_host=site.virtual_host,
            heartbeat=max(1, int(site.heartbeat_s)),
            client_properties={"connection_name": name, "product": "nova"},
            connect_timeout=connect_s,
        )
        idle_s = min(5.0, site.heartbeat_s / 4)
        self.wire = Wire(broker, site.tls, connect_s, idle_s)
        self.max_body = 1 << 40
        self.on_delivery: Callable[[Connection, int, Delivery], None] = _ignore
        self.on_cancel: Callable[[Connection, int], None] = _ignore
        self.on_refused: Callable[[Connection], None] = _ignore
        self._beat_s = site.heartbeat_s / 2
        self._silence_s = max(site.heartbeat_s, 2 * idle_s)
        self._clock = clock
        self._frames = Frames()
        self._partial: dict[int, _Partial] = {}
        self._cancelled: set[int] = set()
        self._deeds: deque[_Deed] = deque()
        self._over = ""
        self._last_sent = self._last_heard = clock.monotonic()
        self._next_tag = 1
        self._waiters: dict[int, Waiter] = {}
        self._returned: dict[int, str] = {}

    # What py-amqp calls.

    def Transport(self, *_args: Any, **_options: Any) -> Wire:  # noqa: N802 - py-amqp's name
        return self.wire

    def blocking_read(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - py-amqp's
        """Handle one frame; true when it was one of py-amqp's methods."""
        while (frame := self._frames.next()) is None:
            self._fill()
        return self._handle(frame)

    # What the link calls.

    def read_more(self) -> None:
        """Handle what has come, waiting for it; raise what ends the connection."""
        self._fill()
        following = self._frames.next
        while (frame := following()) is not None:
            self._handle(frame)
        if self._cancelled or self._deeds:
            self._do_deeds()

    def do(self, work: Callable[[Connection], None], patience_s: float) -> None:
        """Have the thread that reads do ``work``, which may wait for the broker; raise ``OSError``.

        Only that thread may use py-amqp.  It is woken by what the broker answers to a trifle.
        """
        deed = _Deed(work)
        self._deeds.append(deed)
        self.send(_NUDGE)
        if self._over or not deed.done.wait(patience_s):
            raise TimeoutError(self._over or "the broker gave no answer")
        if deed.error:
            raise ConnectionResetError(deed.error)

    def _do_deeds(self) -> None:
        while self._cancelled:
            self.on_cancel(self, self._cancelled.pop())
        while self._deeds:
            deed = self._deeds[0]
            deed.work(self)
            self._deeds.popleft()
            deed.done.set()

    def _fill(self) -> None:
        try:
            self._frames.feed(self.wire.read())
            self._last_heard = now = self._clock.monotonic()
        except TimeoutError:
            now = self._clock.monotonic()
            if now - self._last_heard > self._silence_s:
                raise
        if now - self._last_sent > self._beat_s:
            self.send(frames.HEARTBEAT_FRAME)

    def send(self, data: bytes) -> None:
        """Write frames; raise ``OSError``."""
        self.wire.write(data)
        self._last_sent = self._clock.monotonic()

    def publish(self, method: bytes, props: bytes, body: bytes, waiter: Waiter) -> None:
        """Send a message on channel 1; ``OSError`` when it surely was not sent whole."""
        wire = self.wire
        with wire.lock:
            tag = self._next_tag
            self._next_tag = tag + 1
            head = frames.content(1, props + frames.short(str(tag)), body, self.frame_max)
            self._waiters[tag] = waiter
            try:
                if self._over:
                    raise ConnectionResetError(self._over)
                wire.write_locked(method + head)
            except OSError:
                self._waiters.pop(tag, None)
                # Half a message went out: nothing can follow it.
                wire.close()
                raise
        self._last_sent = self._clock.monotonic()

    @property
    def is_at_work(self) -> bool:
        """Tell whether the broker owes its word on something that was sent."""
        return bool(self._waiters)

    def goodbye(self) -> None:
        """Ask the broker to close; the thread that reads meets the end."""
        with contextlib.suppress(OSError):
            self.send(_GOODBYE)

    def end(self, reason: str) -> None:
        """Tell all that wait that this connection is over."""
        self.wire.close()
        with self.wire.lock:
            self._over = reason or "closed"
            waiters, self._waiters = self._waiters, {}
        for deed in list(self._deeds):
            deed.error = self._over
            deed.done.set()
        for waiter in waiters.values():
            waiter.lost(self._over)

    # What comes in.

    def _handle(self, frame: tuple[int, int, bytes]) -> bool:
        kind, channel, content = frame
        if kind == frames.METHOD:
            signature = _SIGNATURE.unpack_from(content)
            if signature in _TAKEN:
                self._take_method(channel, signature, content)
                return False
        elif kind in (frames.HEADER, frames.BODY):
            self._take_content(kind, channel, content)
            return False
        elif kind == frames.HEARTBEAT:
            return False
        return bool(self.on_inbound_frame(frame))

    def _take_method(self, channel: int, signature: tuple[int, int], method: bytes) -> None:
        if signature == frames.ACK:
            self._confirm(*frames.read_confirm(method))
        elif signature == frames.NACK:
            self._confirm(*frames.read_confirm(method), refused=True)
        elif signature == frames.CANCEL:
            self._cancelled.add(channel)
        else:
            self._partial[channel] = _Partial(signature, method)

    def _take_content(self, kind: int, channel: int, content: bytes) -> None:
        partial = self._partial.get(channel)
        if partial is None:
            raise ValueError("part of a message without its beginning")
        if kind == frames.HEADER:
            partial.size, partial.properties = frames.read_header(content)
            partial.left = partial.size
        else:
            partial.left -= len(content)
            # What is too large is not kept; whoever serves it sees one byte more than it may have.
            if partial.size - partial.left <= self.max_body:
                partial.parts.append(content)
            else:
                room = self.max_body + 1 - sum(map(len, partial.parts))
                partial.parts.append(content[: max(0, room)])
        if partial.left <= 0:
            del self._partial[channel]
            self._whole(channel, partial)

    def _whole(self, channel: int, partial: _Partial) -> None:
        if partial.signature == frames.RETURN:
            tag = partial.properties.message_id
            if tag.isdigit():
                # The confirmation of what came back follows.
                self._returned[int(tag)] = frames.read_return(partial.method)
            return
        consumer, tag_number, redelivered = frames.read_deliver(partial.method)
        parts = partial.parts
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        self.on_delivery(self, channel, Delivery(consumer, tag_number, redelivered, partial.properties, body))

    def _confirm(self, tag: int, multiple: bool, *, refused: bool = False) -> None:
        # Tags are in order of sending; only the one that reads takes away, but senders may take their own.
        tags = [one for one in list(self._waiters) if one <= tag] if multiple else [tag]
        for one in tags:
            waiter = self._waiters.pop(one, None)
            reason = self._returned.pop(one, None)
            if waiter is None:
                continue
            if refused:
                waiter.failed("the broker refused it")
            elif reason is not None:
                waiter.failed(f"nobody has ever listened there ({reason})")
            else:
                waiter.confirmed()
        if refused:
            self.on_refused(self)


def _ignore(*_args: object) -> None:
    """Nobody listens yet."""
