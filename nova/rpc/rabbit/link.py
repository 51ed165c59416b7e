"""One connection to a broker that comes back by itself.

A thread of its own connects (to one node after the other), declares what its owner wants, reads, and beats;
when anything goes wrong it begins again.  Publishing is done by any thread.  Each message that was sent has a
:class:`Waiter`, which learns exactly one of: the broker has it, there is no queue for it, it is not known.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable
from typing import Protocol

from nova import ids
from nova.clock import Clock
from nova.rpc.rabbit.brokers import Broker, Site
from nova.rpc.rabbit.connection import Connection
from nova.rpc.rabbit.frames import Delivery
from nova.rpc.transport import Unreachable

_LOG = logging.getLogger(__name__)

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 1.0
_PATIENCE_S = 2.0
"""How long a message waits for a connection that is being made."""
_CONNECT_S = 10.0
_LOOK_S = 30.0
"""So often an owner looks whether what it declared is still there."""


class Waiter(Protocol):
    """Learns what became of a message; called by the thread that reads, so it must be quick."""

    def confirmed(self) -> None: ...

    def failed(self, reason: str) -> None:
        """The broker does not have it."""

    def lost(self, reason: str) -> None:
        """Whether the broker has it is not known."""


class Owner(Protocol):
    """Whom a connection is for; called by the thread that reads."""

    def opened(self, connection: Connection) -> None:
        """Declare everything; called after every connecting."""

    def delivered(self, connection: Connection, channel: int, delivery: Delivery, /) -> None: ...

    def cancelled(self, connection: Connection, channel: int, /) -> None:
        """A queue that was listened on there has gone."""

    def refused(self, connection: Connection, /) -> None:
        """The broker did not take something that was sent there."""

    def look(self, connection: Connection, /) -> None:
        """Find out whether what was declared is there; what is raised ends the connection."""

    def lost(self) -> None:
        """The connection is gone; the next one is on its way unless the link is closed."""


class Link:
    """A connection that comes back.  ``purpose`` is what operators see it called at the broker."""

    def __init__(self, site: Site, purpose: str, owner: Owner, clock: Clock, max_body: int) -> None:
        self._site = site
        self._purpose = purpose
        self._owner = owner
        self._clock = clock
        self._max_body = max_body
        self._turn = 0
        self._connection: Connection | None = None
        self._up = threading.Event()
        self._closing = threading.Event()
        self._reason = "there was no connection yet"
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def _start(self) -> None:
        with self._lock:
            if self._thread is None and not self._closing.is_set():
                self._thread = threading.Thread(
                    target=self._live, name=f"rabbit-{self._purpose}", daemon=True
                )
                self._thread.start()

    def connection(self, patience_s: float = _PATIENCE_S) -> Connection:
        """Return the connection, waiting a little for it; raise :class:`Unreachable`."""
        found = self._connection
        if found is None:
            self._start()
            self._up.wait(patience_s)
            found = self._connection
            if found is None:
                raise Unreachable(self._reason)
        return found

    def publish(self, method: bytes, props: bytes, body: bytes, waiter: Waiter) -> None:
        """Send a message on channel 1; raise :class:`Unreachable` when it surely was not taken."""
        connection = self.connection()
        try:
            connection.publish(method, props, body, waiter)
        except OSError as error:
            raise Unreachable(f"{type(error).__name__}: {error}") from error

    def declare(self, work: Callable[[Connection], None], patience_s: float = 10.0) -> None:
        """Do something that waits for the broker's word; raise :class:`Unreachable`."""
        connection = self.connection(patience_s)
        try:
            connection.do(work, patience_s)
        except OSError as error:
            # What was begun may stand half done: a new connection does all of it.
            connection.wire.close()
            raise Unreachable(f"{type(error).__name__}: {error}") from error

    def lose(self) -> None:
        """Break the connection without a word."""
        connection = self._connection
        if connection is not None:
            connection.wire.close()

    def is_at(self, connection: Connection) -> bool:
        """Tell whether this is the connection that there is."""
        return self._connection is connection

    def retire(self, last: Callable[[Connection], None], patience_s: float) -> None:
        """Do a last thing, wait until nothing is under way, and end; nobody may send here any more."""
        give_up = self._clock.monotonic() + patience_s
        with contextlib.suppress(Unreachable):
            self.declare(last, patience_s)
        connection = self._connection
        while connection is not None and connection.is_at_work and self._clock.monotonic() < give_up:
            self._closing.wait(0.05)
        self.close()

    def close(self) -> None:
        """Say goodbye and end; messages whose fate is not known fail."""
        self._closing.set()
        with self._lock:
            thread, connection = self._thread, self._connection
        if connection is not None:
            connection.goodbye()
        if thread is not None and thread is not threading.current_thread():
            thread.join(2.0)
            if connection is not None:
                connection.wire.close()
            thread.join(10.0)

    def _live(self) -> None:
        pause = _FIRST_PAUSE_S
        while not self._closing.is_set():
            broker = self._site.brokers[self._turn % len(self._site.brokers)]
            self._turn += 1
            connection = self._connection_to(broker)
            try:
                connection.connect()
                self._owner.opened(connection)
                self._connection = connection
                self._up.set()
                pause = _FIRST_PAUSE_S
                _LOG.debug("connected to %r for %s", broker, self._purpose)
                # All come back at once after a broker's restart, and shall not look at once for ever.
                look_at = self._clock.monotonic() + _LOOK_S * ids.new_seed(1)[0] / 256
                while not self._closing.is_set():
                    connection.read_more()
                    if self._clock.monotonic() >= look_at:
                        look_at = self._clock.monotonic() + _LOOK_S
                        self._owner.look(connection)
            except Exception as error:  # whatever it is, the next connection may be better
                self._tell(f"{broker!r}: {type(error).__name__}: {error}")
            self._forget(connection)
            self._closing.wait(pause)
            pause = min(_LONGEST_PAUSE_S, pause * 2)

    def _tell(self, reason: str) -> None:
        """Say why there is no connection: aloud when that is new."""
        new = reason != self._reason or self._connection is not None
        self._reason = reason
        if not self._closing.is_set():
            level = logging.WARNING if new else logging.DEBUG
            _LOG.log(level, "no connection for %s to %s", self._purpose, reason)

    def _connection_to(self, broker: Broker) -> Connection:
        name = f"nova {os.getpid()} {self._purpose}"
        made = Connection(self._site, broker, name, clock=self._clock, connect_s=_CONNECT_S)
        made.max_body = self._max_body
        made.on_delivery = self._owner.delivered
        made.on_cancel = self._owner.cancelled
        made.on_refused = self._owner.refused
        return made

    def _forget(self, connection: Connection) -> None:
        self._up.clear()
        self._connection = None
        connection.end(self._reason)
        try:
            self._owner.lost()
        except Exception:  # the owner's trouble must not end the thread that would bring the link back
            _LOG.exception("after the loss of a connection")
