"""Typed clients, made from a contract.

::

    conductor = make_client(Conductor, transport, metrics)
    conductor.any.show_instance(ctx, instance)      # one server of the topic
    compute.host("compute-7").run_jobs(ctx, jobs)   # that server
    compute.all.settings_changed(ctx)               # every server that listens now

Each of ``any``, ``host(...)`` and ``all`` has the type of the contract class itself.

A broker that is away makes calls slow, not failed: what could not be handed over is tried again until the
deadline of the call or for ``broker_wait_s``, whichever is sooner, and only then is
:class:`~nova.errors.Unavailable` raised: nobody has it.  Where one of the tries may have reached a server,
:class:`~nova.errors.rpc.NoAnswer` says that this is not known.

An idempotent call whose answer does not come is sent again under the same call id; any other is not,
because another server of the topic could do it a second time.
"""

from __future__ import annotations

import functools
import itertools
import logging
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

import msgspec

from nova import ids
from nova.clock import Clock
from nova.context import RequestContext
from nova.errors import NovaError, Unavailable
from nova.errors.rpc import BadMessage, NoAnswer
from nova.rpc import payload
from nova.rpc.contract import CALL, FANOUT, Method, describe
from nova.rpc.metrics import CalledCounts, RpcMetrics
from nova.rpc.transport import Address, ReplyTimeout, Transport, Unconfirmed, Unreachable

MESSAGE_QUEUE = "the message queue"
"""``part`` of :class:`~nova.errors.Unavailable` when it is the broker that cannot be reached."""
_LOG = logging.getLogger(__name__)

C = TypeVar("C")


class ClientOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How patient a client is; seconds."""

    broker_wait_s: float = 30.0
    """How long to try to hand a message over before saying that the message queue does not answer."""
    resend_after_s: float = 15.0
    """An idempotent call without an answer is sent again after this, then after twice as long, and so on."""
    retry_pause_s: float = 0.2
    """First pause between two tries to hand over; doubles up to two seconds."""


class _Bound:
    """One method of a contract with everything about it that need not be looked up for each call."""

    def __init__(self, method: Method, metrics: RpcMetrics) -> None:
        self.method = method
        self.reply = payload.ReplyReader[Any](method.returns)
        self._metrics = metrics

    @functools.cached_property
    def counts(self) -> CalledCounts:
        """What is counted of it; made when it is called first."""
        return self._metrics.of_called(self.method.topic, self.method.name)


class _Sender:
    """What all proxies of one client share."""

    def __init__(
        self, transport: Transport, metrics: RpcMetrics, clock: Clock, options: ClientOptions
    ) -> None:
        self._transport = transport
        self._metrics = metrics
        self._clock = clock
        self._options = options
        self._prefix = ids.new_uuid()
        self._numbers = itertools.count(1)

    def _call_id(self) -> str:
        return f"{self._prefix}.{next(self._numbers)}"

    def call(self, bound: _Bound, to: Address, ctx: RequestContext, arguments: msgspec.Struct) -> Any:
        method = bound.method
        patience = method.timeout_s if ctx.timeout_s is None else min(method.timeout_s, ctx.timeout_s)
        call_id = self._call_id()
        deadline = self._clock.monotonic() + patience
        attempt_s = self._options.resend_after_s if method.idempotent else patience
        taken = False
        while True:
            left = deadline - self._clock.monotonic()
            if left <= 0:
                bound.counts.timeout.inc()
                raise NoAnswer(part=to.topic)
            body = payload.encode_request(method.name, method.since, call_id, left, ctx, arguments)
            try:
                send = functools.partial(self._transport.call, to, body, min(attempt_s, left))
                answer = self._handed_over(bound, send, left, taken=taken)
                break
            except ReplyTimeout:
                taken = True
                attempt_s *= 2
                if self._clock.monotonic() < deadline and method.idempotent:
                    self._metrics.resent.labels(to.topic, "no answer").inc()
                    continue
                bound.counts.timeout.inc()
                raise NoAnswer(part=to.topic) from None
        try:
            value = bound.reply.read(answer)
        except Unavailable as error:
            bound.counts.refused.inc()
            if taken:
                # This server did nothing; another one may still be at the copy before.
                raise NoAnswer(part=to.topic) from error
            raise
        except NovaError:
            bound.counts.refused.inc()
            raise
        except (msgspec.MsgspecError, ValueError) as error:
            bound.counts.refused.inc()
            raise BadMessage(part=to.topic, reason=f"answer of {method.name}: {error}") from error
        bound.counts.ok.inc()
        return value

    def cast(self, bound: _Bound, to: Address, ctx: RequestContext, arguments: msgspec.Struct) -> None:
        method = bound.method
        body = payload.encode_request(method.name, method.since, self._call_id(), None, ctx, arguments)
        left = self._options.broker_wait_s
        self._handed_over(bound, functools.partial(self._transport.cast, to, body), left)
        bound.counts.ok.inc()

    def _handed_over(
        self, bound: _Bound, send: Callable[[], Any], left_s: float, *, taken: bool = False
    ) -> Any:
        """Send; come again with growing pauses while the broker is away, within bounds.

        ``taken``: a copy of this message may have reached a server before.
        """
        pause = self._options.retry_pause_s
        give_up = self._clock.monotonic() + min(left_s, self._options.broker_wait_s)
        while True:
            try:
                return send()
            except Unreachable as error:
                taken = taken or isinstance(error, Unconfirmed)
                if self._clock.monotonic() + pause >= give_up:
                    bound.counts.unreachable.inc()
                    if taken:
                        raise NoAnswer(part=bound.method.topic) from error
                    raise Unavailable(part=MESSAGE_QUEUE) from error
                _LOG.warning("%s could not be handed over, trying again: %s", bound.method.name, error)
                self._metrics.resent.labels(bound.method.topic, "unreachable").inc()
                self._clock.sleep(pause)
                pause = min(2.0, pause * 2)


class _Proxy:
    """Base of the generated classes; ``server`` and ``everybody`` say to whom."""

    __slots__ = ("_addresses", "_bound", "_sender")

    def __init__(
        self, sender: _Sender, bound: dict[str, _Bound], server: str | None, everybody: bool = False
    ) -> None:
        self._sender = sender
        self._bound = bound
        self._addresses = {
            name: Address(b.method.topic, None if b.method.kind == FANOUT else server, _to_all(b, everybody))
            for name, b in bound.items()
        }


def _to_all(bound: _Bound, everybody: bool) -> bool:
    return everybody or bound.method.kind == FANOUT


def _proxy_method(method: Method) -> Callable[..., Any]:
    name, arguments = method.name, method.arguments
    if method.kind == CALL:

        def call(self: _Proxy, ctx: RequestContext, *args: Any, **kwargs: Any) -> Any:
            to = self._addresses[name]
            if to.fanout:
                raise TypeError(f"{name} waits for an answer and cannot be sent to all")
            return self._sender.call(self._bound[name], to, ctx, arguments(*args, **kwargs))

        return call

    def send(self: _Proxy, ctx: RequestContext, *args: Any, **kwargs: Any) -> None:
        self._sender.cast(self._bound[name], self._addresses[name], ctx, arguments(*args, **kwargs))

    return send


@functools.cache
def _proxy_class(contract: type) -> type[_Proxy]:
    methods: dict[str, Any] = {name: _proxy_method(m) for name, m in describe(contract).methods.items()}
    return type(f"{contract.__name__}Proxy", (_Proxy,), {"__slots__": (), **methods})


class Client(Generic[C]):
    """Reaches the servers of a contract."""

    def __init__(self, contract: type[C], sender: _Sender, metrics: RpcMetrics) -> None:
        plain: type = contract
        self._class = _proxy_class(plain)
        self._sender = sender
        self._bound = {name: _Bound(m, metrics) for name, m in describe(plain).methods.items()}
        self.any: C = cast(C, self._class(sender, self._bound, None))
        """One server of the topic, whichever is next."""
        self.all: C = cast(C, self._class(sender, self._bound, None, True))
        """Every server that listens now; nothing can be asked of all."""
        self._hosts: dict[str, C] = {}

    def host(self, name: str) -> C:
        """Return the server of that name."""
        found = self._hosts.get(name)
        if found is None:
            found = self._hosts[name] = cast(C, self._class(self._sender, self._bound, name))
        return found


def make_client(
    contract: type[C],
    transport: Transport,
    metrics: RpcMetrics,
    *,
    clock: Clock | None = None,
    options: ClientOptions | None = None,
) -> Client[C]:
    """Make a client of ``contract`` over ``transport``."""
    sender = _Sender(transport, metrics, clock or Clock(), options or ClientOptions())
    return Client(contract, sender, metrics)
