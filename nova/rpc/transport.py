"""Who carries messages: the small interface all transports have, and the choice of one by URL.

``memory:///name``
    queues inside this process (:mod:`nova.rpc.memory`); nothing else is imported.
``rabbit://user:password@host:port/vhost``
    :mod:`nova.rpc.rabbit`, spoken directly.
``oslo+rabbit://...``, ``kafka://...`` and so on
    :mod:`nova.rpc.broker`: any driver of oslo.messaging, on a private configuration.
``chaos+<any of these>?lose=0.1&delay=...``
    the same, behaving badly on purpose (:mod:`nova.rpc.chaos`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import msgspec

from nova.errors.operating import OptionNotUnderstood

if TYPE_CHECKING:
    from oslo_config import cfg


class Address(msgspec.Struct, frozen=True):
    """Whom a message is for: one server of a topic, a named one, or all that listen now (``fanout``)."""

    topic: str
    server: str | None = None
    fanout: bool = False


class TransportError(Exception):
    """Base of what a transport may raise."""


class ReplyTimeout(TransportError):
    """The message was handed over; no answer came in time."""


class Unreachable(TransportError):
    """The message could not be handed over."""


class Unconfirmed(Unreachable):
    """The message was on its way when the connection was lost: a server may have it, or may yet get it."""


class Incoming(Protocol):
    """A message as a server gets it."""

    @property
    def body(self) -> bytes: ...

    @property
    def expects_reply(self) -> bool: ...

    @property
    def deliveries(self) -> int:
        """How often it was given to a server, this time included, as far as the transport knows."""

    def begin(self) -> None:
        """Its work begins now and may be done once only: a call comes to no other server."""

    def end(self) -> None:
        """It is done and comes to no server again.  Until then another one gets it if this one dies.

        Both never raise.
        """

    def reply(self, body: bytes) -> None:
        """Send the answer; never raises, a caller that went away is no concern of a server."""

    def set_aside(self, reason: str) -> None:
        """Keep what nobody can serve where operators of this transport look; never raises."""

    def hand_back(self) -> bool:
        """Give an unstarted message back for another server; false when this transport cannot."""


class Listener(Protocol):
    """A server's ear on a topic."""

    def stop(self) -> None:
        """Stop taking messages; none is delivered after this returns."""


class Transport(Protocol):
    """A way to carry messages.  All methods may be used from any thread."""

    def call(self, to: Address, body: bytes, timeout_s: float) -> bytes:
        """Send and wait for the answer; raise :class:`ReplyTimeout` or :class:`Unreachable`."""

    def cast(self, to: Address, body: bytes) -> None:
        """Hand a message over for good, or raise :class:`Unreachable`."""

    def listen(self, topic: str, server: str, receive: Callable[[Incoming], None]) -> Listener:
        """Take messages of ``topic``, of ``topic`` at ``server``, and fanouts; ``receive`` must be quick."""

    def close(self) -> None:
        """Release connections; calls in flight fail."""


def make_transport(conf: cfg.ConfigOpts, url: str | None = None) -> Transport:
    """Make the transport that ``url`` (else ``[DEFAULT] transport_url``) names.

    Raises :class:`~nova.errors.operating.OptionNotUnderstood` for one that names none.
    """
    try:
        return _make(conf, url or conf.transport_url)
    except (ValueError, ImportError) as error:
        raise OptionNotUnderstood(option="[DEFAULT] transport_url", reason=str(error)) from error


def _make(conf: cfg.ConfigOpts, url: str) -> Transport:
    scheme, separator, rest = url.partition("://")
    if not separator:
        raise ValueError("it has no scheme")
    if scheme.startswith("chaos+"):
        from nova.rpc.chaos import ChaosTransport, read_faults

        faults, inner = read_faults(scheme.removeprefix("chaos+") + separator + rest)
        return ChaosTransport(_make(conf, inner), faults)
    if scheme == "memory":
        from nova.rpc.memory import MemoryTransport, bus_named

        return MemoryTransport(bus_named(rest.partition("/")[2].partition("?")[0]))
    if scheme == "rabbit":
        from nova.rpc.rabbit.brokers import site_of
        from nova.rpc.rabbit.transport import RabbitTransport

        return RabbitTransport(site_of(conf, url), max_body=conf.rpc.max_message)
    from nova.rpc.broker import BrokerTransport

    return BrokerTransport(conf, url.removeprefix("oslo+"))
