"""Serve a contract: an object that has its methods, one listener and one pool of workers a topic.

What the endpoint raises crosses as a value when it is a :class:`~nova.errors.NovaError`; anything else is
logged with its traceback and crosses as :class:`~nova.errors.rpc.InternalError`, which tells the request id
and nothing more.  A message that cannot be served is set aside: counted, logged with the reason, the last
ones kept in :attr:`Server.set_aside`; a caller that can be told is told.
"""

from __future__ import annotations

import functools
import logging
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from nova import log
from nova.clock import Clock
from nova.context import RequestContext
from nova.errors import NovaError
from nova.errors.rpc import BadMessage, InternalError, UnsupportedVersion
from nova.rpc import payload
from nova.rpc.contract import CALL, Contract, Method, describe, version_text
from nova.rpc.doubles import Doubles
from nova.rpc.metrics import RpcMetrics, ServedCounts
from nova.rpc.transport import Incoming, Listener, Transport
from nova.workers import WorkerPool

_LOG = logging.getLogger(__name__)


class ServerOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a server is served."""

    pool_size: int = 16
    """Workers of a topic: how many of its requests are done at once."""
    pool_sizes: Mapping[str, int] = {}
    """Workers of single topics."""
    topics: tuple[str, ...] | None = None
    """Serve these topics of the contract only; none means all."""
    max_body_bytes: int = 64 * 1024 * 1024
    clock: Clock | None = None
    """None: this machine's."""


MOST_DELIVERIES = 20
"""A request that so many servers began and did not finish is taken for the reason of their end."""
_HEAD_BYTES = 256


class SetAside(msgspec.Struct, frozen=True):
    """A message nobody could serve."""

    topic: str
    reason: str
    size: int
    method: str | None = None
    request_id: str | None = None
    head: bytes = b""
    """How it begins.  It may hold secrets, so it is in no log."""


class _Served:
    """One method, made ready: endpoint function, decoder, names for logs and metrics."""

    def __init__(self, method: Method, function: Callable[..., Any], metrics: RpcMetrics) -> None:
        self.method = method
        self.function = function
        self.read = msgspec.msgpack.Decoder(method.arguments).decode
        self.remember = method.kind == CALL and not method.idempotent
        names = [parameter.name for parameter in method.parameters]
        self.instance_at = next((i for i, n in enumerate(names) if n in ("instance", "instance_id")), None)
        self._metrics = metrics

    @functools.cached_property
    def counts(self) -> ServedCounts:
        """What is counted of it; made when it is asked for first."""
        return self._metrics.of_served(self.method.topic, self.method.name)


class Server:
    """Serves ``endpoint`` as ``name`` on the topics of ``contract``.

    Raises ``TypeError`` when the endpoint lacks a method of the contract.
    """

    def __init__(
        self,
        transport: Transport,
        contract: type,
        endpoint: object,
        name: str,
        metrics: RpcMetrics,
        options: ServerOptions | None = None,
    ) -> None:
        self.contract: Contract = describe(contract)
        self.name = name
        self.set_aside: deque[SetAside] = deque(maxlen=100)
        self._transport = transport
        self._metrics = metrics
        self._clock = (options.clock if options else None) or Clock()
        self._options = options or ServerOptions()
        self._doubles = Doubles()
        self.topics = self._options.topics or self.contract.topics()
        self._methods: dict[str, dict[str, _Served]] = {topic: {} for topic in self.topics}
        for method in self.contract.methods.values():
            if method.topic in self._methods:
                function = getattr(endpoint, method.name, None)
                if not callable(function):
                    raise TypeError(
                        f"{type(endpoint).__name__} does not serve {contract.__name__}.{method.name}"
                    )
                self._methods[method.topic][method.name] = _Served(method, function, metrics)
        self._pools: dict[str, WorkerPool] = {}
        self._listeners: list[Listener] = []

    def start(self) -> None:
        """Begin to take messages; raises ``TransportError`` when the broker does not let it listen."""
        try:
            for topic in self.topics:
                self._listen(topic)
        except BaseException:
            self.stop(1.0)
            raise

    def _listen(self, topic: str) -> None:
        size = self._options.pool_sizes.get(topic, self._options.pool_size)
        pool = self._pools[topic] = WorkerPool(f"rpc-{topic}", size)
        self._metrics.waiting.labels(topic).set_function(functools.partial(_waiting, pool))
        receive = functools.partial(self._receive, topic, pool)
        self._listeners.append(self._transport.listen(topic, self.name, receive))

    def stop(self, timeout_s: float = 30.0) -> bool:
        """Take nothing new, hand back what was not begun, finish the rest.

        Returns false when something still ran after ``timeout_s``; its answer is then lost.
        """
        for listener in self._listeners:
            listener.stop()
        self._listeners.clear()
        deadline = self._clock.monotonic() + timeout_s
        finished = True
        for pool in self._pools.values():
            for task in pool.unstarted():
                if not task.args[1].hand_back():  # type: ignore[attr-defined]
                    pool.submit(task)
            finished = pool.drain(max(0.0, deadline - self._clock.monotonic())) and finished
            pool.stop()
        self._pools.clear()
        return finished

    @property
    def waiting(self) -> int:
        """How many requests wait for a worker."""
        return sum(pool.waiting for pool in self._pools.values())

    def _receive(self, topic: str, pool: WorkerPool, incoming: Incoming) -> None:
        try:
            pool.submit(functools.partial(self._serve, topic, incoming, self._clock.monotonic()))
        except RuntimeError:
            incoming.hand_back()

    def _serve(self, topic: str, incoming: Incoming, received: float) -> None:
        """Do one message; whatever it holds, the worker lives on."""
        try:
            self._do(topic, incoming, received)
        finally:
            incoming.end()

    def _do(self, topic: str, incoming: Incoming, received: float) -> None:
        body = incoming.body
        if incoming.deliveries > MOST_DELIVERIES:
            self._put_aside(topic, incoming, f"came too often: {incoming.deliveries} times")
            return
        if len(body) > self._options.max_body_bytes:
            self._put_aside(topic, incoming, f"too large: more than {self._options.max_body_bytes} bytes")
            return
        try:
            request = payload.decode_request(body)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            self._put_aside(topic, incoming, f"garbage: {type(error).__name__}")
            return
        left = request.ttl_s
        if left is not None:
            left -= self._clock.monotonic() - received
            if left <= 0:
                self._metrics.expired.labels(topic).inc()
                return
        known = self.contract.versions[topic]
        if request.since[0] != known[0] or request.since > known:
            self._put_aside(topic, incoming, "future version", request)
            return
        served = self._methods[topic].get(request.method)
        if served is None:
            self._put_aside(topic, incoming, "unknown method", request)
            return
        try:
            arguments = served.read(request.arguments)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            # The text names a field and a type, never a value.
            self._put_aside(topic, incoming, f"wrong arguments: {error}", request)
            return
        if served.remember and incoming.expects_reply and not self._doubles.begin(request.call_id, incoming):
            self._metrics.doubles.labels(topic).inc()
            return
        if not served.method.idempotent:
            incoming.begin()
        ctx = msgspec.structs.replace(
            request.ctx, call_id=request.call_id, timeout_s=request.ctx.timeout_s if left is None else left
        )
        answer = self._run(served, ctx, msgspec.structs.astuple(arguments))
        if served.remember and incoming.expects_reply:
            self._doubles.end(request.call_id, answer)
        if incoming.expects_reply:
            incoming.reply(answer)

    def _run(self, served: _Served, ctx: RequestContext, arguments: tuple[Any, ...]) -> bytes:
        """Call the endpoint and write the answer down; never raises."""
        started = self._clock.monotonic()
        instance = None if served.instance_at is None else arguments[served.instance_at]
        with log.bound(ctx, instance if isinstance(instance, str) else None):
            try:
                answer = payload.encode_ok(served.function(ctx, *arguments))
                served.counts.ok.inc()
            except NovaError as error:
                _LOG.debug("%s refused: %s", served.method.name, error)
                answer = payload.encode_error(error)
                served.counts.refused.inc()
            except Exception:  # the server outlives every endpoint; the caller learns the request id only
                _LOG.exception("%s.%s failed", self.contract.name, served.method.name)
                answer = payload.encode_error(InternalError(request_id=ctx.request_id))
                served.counts.failed.inc()
        served.counts.seconds.observe(self._clock.monotonic() - started)
        return answer

    def _put_aside(
        self, topic: str, incoming: Incoming, reason: str, request: payload.Request | None = None
    ) -> None:
        kind = reason.partition(":")[0]
        method = request.method[:100] if request else None
        body, request_id = incoming.body, request.ctx.request_id[:100] if request else None
        entry = SetAside(topic, reason[:200], len(body), method, request_id, body[:_HEAD_BYTES])
        self.set_aside.append(entry)
        self._metrics.set_aside.labels(topic, kind).inc()
        incoming.set_aside(entry.reason)
        _LOG.warning(
            "set a message aside: %s (topic %s, method %r, %d bytes)", entry.reason, topic, method, entry.size
        )
        if incoming.expects_reply:
            if request is not None and kind in ("future version", "unknown method"):
                error: NovaError = UnsupportedVersion(
                    part=topic,
                    method=method,
                    since=version_text(request.since),
                    known=version_text(self.contract.versions[topic]),
                )
            else:
                error = BadMessage(part=topic, reason=entry.reason)
            incoming.reply(payload.encode_error(error))


def _waiting(pool: WorkerPool) -> float:
    return float(pool.waiting)
