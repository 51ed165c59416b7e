"""Messages over a broker, with any driver of oslo.messaging.

The library's drivers are used through their driver interface (``send`` and ``listen``), below its RPC client
and server: those acknowledge, log and rebuild exceptions in ways that ours must not, and cost a third of the
CPU of a call.  The library gets a configuration object of its own, made from the daemon's files
(:func:`own_configuration`): it registers some option groups on the global object only, and others that the
daemon knows already.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import logging
import threading
from collections.abc import Callable
from typing import Any

from oslo_config import cfg

from nova.rpc import payload
from nova.rpc.transport import Address, Incoming, Listener, ReplyTimeout, Unconfirmed, Unreachable

_LOG = logging.getLogger(__name__)

EXCHANGE = "nova"
_RABBIT = "oslo_messaging_rabbit"
_RABBIT_DEFAULTS = {
    # Messages outlive a broker's restart and the loss of one of three nodes.
    "rabbit_quorum_queue": True,
    # Our own client waits between tries, with a bound; the library must not wait behind its back.
    "kombu_reconnect_delay": 0.0,
    "rabbit_interval_max": 2,
    # How long an answer waits for the return of its caller's queue; a worker waits with it.
    "kombu_missing_consumer_retry_timeout": 20,
}
_OWN_DRIVERS = {"memory": "nova.rpc.drivers:MemoryDriver", "lean": "nova.rpc.drivers:LeanDriver"}


def prepare(conf: cfg.ConfigOpts) -> None:
    """Register on ``conf`` what the library expects there, with our defaults.  May be called twice."""
    from oslo_messaging._drivers import amqp, impl_rabbit
    from oslo_messaging._metrics import client as metrics
    from oslo_messaging._tracing import client as tracing

    conf.register_opts(metrics.oslo_messaging_metrics, group="oslo_messaging_metrics")
    conf.register_opts(tracing.oslo_messaging_tracing, group="oslo_messaging_tracing")
    conf.register_opts(impl_rabbit.rabbit_opts, group=_RABBIT)
    conf.register_opts(amqp.amqp_opts, group=_RABBIT)
    for name, value in _RABBIT_DEFAULTS.items():
        conf.set_default(name, value, group=_RABBIT)


def own_configuration(conf: cfg.ConfigOpts) -> cfg.ConfigOpts:
    """Return what the library reads: the daemon's files, our defaults, and what ``[rpc]`` says."""
    library = cfg.ConfigOpts()
    files, folders = list(conf.config_file or ()), list(conf.config_dir or ())
    library([], project="nova", default_config_files=files, default_config_dirs=folders)
    prepare(library)
    ours = conf.rpc
    said = {
        "rabbit_quorum_queue": ours.quorum_queues,
        "heartbeat_timeout_threshold": int(ours.heartbeat),
        "ssl": ours.ssl,
        "ssl_ca_file": ours.ssl_ca_file or "",
        "ssl_cert_file": ours.ssl_cert_file or "",
        "ssl_key_file": ours.ssl_key_file or "",
    }
    for name, value in said.items():
        library.set_default(name, value, group=_RABBIT)
    return library


class BrokerTransport:
    """A :class:`~nova.rpc.transport.Transport` over a driver of oslo.messaging."""

    def __init__(self, conf: cfg.ConfigOpts, url: str) -> None:
        import oslo_messaging
        from oslo_messaging import exceptions

        conf = own_configuration(conf)
        self._library = oslo_messaging
        self._exceptions = exceptions
        self._options = oslo_messaging.TransportOptions(at_least_once=True)
        parsed = oslo_messaging.TransportURL.parse(conf, url)
        conf.set_default("control_exchange", EXCHANGE)
        self._driver = _load(parsed.transport.split("+")[0])(conf, parsed, default_exchange=EXCHANGE)
        self._targets: dict[Address, Any] = {}
        self._lock = threading.Lock()

    def _target(self, to: Address) -> Any:
        found = self._targets.get(to)
        if found is None:
            target = self._library.Target(topic=to.topic, server=to.server, fanout=to.fanout or None)
            found = self._targets[to] = target
        return found

    def call(self, to: Address, body: bytes, timeout_s: float) -> bytes:
        answer = self._send(to, body, timeout_s)
        if not isinstance(answer, str):
            raise ReplyTimeout(f"not an answer: {type(answer).__name__}")
        return payload.from_text(answer)

    def cast(self, to: Address, body: bytes) -> None:
        self._send(to, body, None)

    def _send(self, to: Address, body: bytes, timeout_s: float | None) -> Any:
        # Mandatory: a topic without a queue (nobody ever served it) is told, instead of losing the message.
        options = None if to.fanout else self._options
        try:
            return self._driver.send(
                self._target(to),
                {},
                {"body": payload.to_text(body)},
                wait_for_reply=timeout_s is not None or None,
                timeout=timeout_s,
                retry=0,
                transport_options=options,
            )
        except self._exceptions.MessagingTimeout as error:
            raise ReplyTimeout(str(error)) from error
        except self._exceptions.MessageUndeliverable as error:
            raise Unreachable(f"{type(error).__name__}: {error}") from error
        except (self._exceptions.MessagingException, OSError) as error:
            # The library does not tell a broker that was away from one that went away.
            raise Unconfirmed(f"{type(error).__name__}: {error}") from error

    def listen(self, topic: str, server: str, receive: Callable[[Incoming], None]) -> Listener:
        listener = self._driver.listen(self._library.Target(topic=topic, server=server), 1, None)
        return _BrokerListener(listener, receive)

    def close(self) -> None:
        self._driver.cleanup()


class _BrokerIncoming:
    """One message of the library, read when a worker asks for it."""

    __slots__ = ("_message",)

    def __init__(self, message: Any) -> None:
        self._message = message

    @property
    def body(self) -> bytes:
        content = self._message.message
        text = content.get("body") if isinstance(content, dict) else None
        try:
            return payload.from_text(text) if isinstance(text, str) else b""
        except ValueError:
            return b""

    @property
    def expects_reply(self) -> bool:
        return getattr(self._message, "orig_msg_id", self._message.msg_id) is not None

    def reply(self, body: bytes) -> None:
        try:
            self._message.reply(payload.to_text(body))
        except Exception:  # whatever the driver raises: a lost answer must not take the worker with it
            _LOG.exception("an answer could not be sent")

    @property
    def deliveries(self) -> int:
        return 1

    def begin(self) -> None:
        """The drivers acknowledge on arrival."""

    def end(self) -> None:
        """The drivers acknowledge on arrival."""

    def set_aside(self, reason: str) -> None:
        """The library has no place for it: the server's log and list must do."""

    def hand_back(self) -> bool:
        # Drivers acknowledge on arrival; there is nothing left to give back.
        return False


class _BrokerListener:
    def __init__(self, listener: Any, receive: Callable[[Incoming], None]) -> None:
        self._listener = listener
        self._receive = receive
        listener.start(self._take)

    def _take(self, messages: list[Any]) -> None:
        for message in messages:
            message.acknowledge()
            self._receive(_BrokerIncoming(message))

    def stop(self) -> None:
        self._listener.stop()
        self._listener.cleanup()


def _load(scheme: str) -> Callable[..., Any]:
    """Find a driver: our own by name, others by entry point (without reading all of them)."""
    where = _OWN_DRIVERS.get(scheme)
    if where is None:
        found = importlib.metadata.entry_points(group="oslo.messaging.drivers", name=scheme)
        if not found:
            raise ValueError(f"there is no messaging driver {scheme!r}")
        loaded: Callable[..., Any] = next(iter(found)).load()
        return loaded
    module, _, name = where.partition(":")
    driver: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return driver
