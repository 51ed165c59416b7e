"""The life of a daemon: build, wait for what it needs, serve, drain, stop.

::

    built -> waiting -> serving -> draining -> stopped

Several daemons may live in one process (``nova-all``, tests); what belongs to the process (signals, systemd,
the health listener) is in :mod:`nova.process`.  A daemon is a name and a function that builds its parts from
its :class:`Surroundings`; building does no I/O, so the order in which daemons start does not matter: each
waits until its needs are met, says in ``/readyz`` which are not, and only then takes requests.
"""

from __future__ import annotations

import enum
import logging
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec
from prometheus_client import CollectorRegistry

from nova.clock import Clock
from nova.errors import NovaError
from nova.loops import Loops, LoopState
from nova.rpc.client import Client, ClientOptions, make_client
from nova.rpc.metrics import RpcMetrics
from nova.rpc.server import Server, ServerOptions
from nova.rpc.transport import Transport, TransportError, make_transport

if TYPE_CHECKING:
    from oslo_config import cfg

_LOG = logging.getLogger(__name__)

C = TypeVar("C")


class Service(Protocol):
    """A part that serves while the daemon does: an RPC server, an HTTP listener, an engine."""

    def start(self) -> None:
        """Begin to serve; raise, with nothing left begun, when that is not possible yet.

        Called again until it succeeds, and never again after that.
        """

    def stop(self, timeout_s: float) -> bool:
        """Take nothing new, finish what was begun; false when that took too long."""


class Need(msgspec.Struct, frozen=True):
    """Something without which a daemon does not serve.  ``met`` may raise: that counts as not yet."""

    what: str
    met: Callable[[], bool]


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What a daemon is made of.  Services start in this order and stop in the opposite one."""

    services: Sequence[Service] = ()
    needs: Sequence[Need] = ()
    beat: Callable[[], object] | None = None
    """Tells the rest of the cloud that the daemon lives; called every ``report_interval`` while it serves."""
    reload: Callable[[cfg.ConfigOpts], None] | None = None
    """Takes over options that may change while the daemon runs."""
    close: Callable[[], None] | None = None
    """Releases what building took; called last."""


class Surroundings:
    """What a daemon is given: configuration, clock, transport, metrics, its host's name."""

    def __init__(
        self,
        conf: cfg.ConfigOpts,
        *,
        transport: Transport | None = None,
        clock: Clock | None = None,
        registry: CollectorRegistry | None = None,
        host: str | None = None,
    ) -> None:
        self.conf = conf
        self.clock = clock or Clock()
        self.transport = transport or make_transport(conf)
        self.registry = registry or CollectorRegistry()
        self.host: str = host or conf.host
        self.rpc_metrics = RpcMetrics(self.registry)

    def at(self, host: str) -> Surroundings:
        """Return the same surroundings under another host name (fake hosts of one process)."""
        twin = object.__new__(Surroundings)
        twin.__dict__ |= self.__dict__ | {"host": host}
        return twin

    def client(self, contract: type[C]) -> Client[C]:
        """Make a typed client of a contract."""
        group = self.conf.rpc
        options = ClientOptions(broker_wait_s=group.broker_wait, resend_after_s=group.resend_after)
        return make_client(contract, self.transport, self.rpc_metrics, clock=self.clock, options=options)

    def server(self, contract: type, endpoint: object, *, topics: tuple[str, ...] | None = None) -> Server:
        """Make the server of a contract (a :class:`Service`), known by this host's name."""
        group = self.conf.rpc
        sizes = {topic: int(size) for topic, size in group.pools.items()}
        options = ServerOptions(
            pool_sizes=sizes,
            pool_size=group.pool_size,
            topics=topics,
            max_body_bytes=group.max_message,
            clock=self.clock,
        )
        return Server(self.transport, contract, endpoint, self.host, self.rpc_metrics, options)

    def close(self) -> None:
        """Release the transport."""
        self.transport.close()


class State(enum.StrEnum):
    """Where a daemon is in its life."""

    BUILT = "built"
    WAITING = "waiting"
    SERVING = "serving"
    DRAINING = "draining"
    STOPPED = "stopped"
    FAILED = "failed"


class Daemon:
    """One daemon.  ``build(surroundings, loops)`` makes its parts; loops added there run while it serves."""

    def __init__(
        self,
        name: str,
        build: Callable[[Surroundings, Loops], Parts],
        surroundings: Surroundings,
        *,
        loop_workers: int = 8,
    ) -> None:
        self.name = name
        self.host = surroundings.host
        self.state = State.BUILT
        self.waiting_for: tuple[str, ...] = ()
        self._conf = surroundings.conf
        self._clock = surroundings.clock
        self.loops = Loops(f"{name}@{self.host}", workers=loop_workers, clock=surroundings.clock)
        self.parts = build(surroundings, self.loops)
        self._parts = self.parts
        if self._parts.beat is not None:
            self.loops.add("beat", self._parts.beat, surroundings.conf.report_interval)
        self._started: list[Service] = []
        self._stopping = threading.Event()
        self._serving = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin to live; returns at once."""
        self.state = State.WAITING
        self.waiting_for = tuple(need.what for need in self._parts.needs)
        self._thread = threading.Thread(target=self._live, name=f"daemon-{self.name}", daemon=True)
        self._thread.start()

    def wait_serving(self, timeout_s: float) -> bool:
        """Wait until the daemon serves."""
        return self._serving.wait(timeout_s)

    def _live(self) -> None:
        pause = 0.05
        told: set[str] = set()
        while not self._stopping.is_set():
            self.waiting_for = tuple(need.what for need in self._parts.needs if not _is_met(need, told))
            if not self.waiting_for and self._serve():
                return
            self._stopping.wait(pause)
            pause = min(2.0, pause * 1.5)

    def _serve(self) -> bool:
        """Start all services; when one cannot, those before it go on and the rest is tried again."""
        with self._lock:
            if self._stopping.is_set():
                return True
            services = (*self._parts.services, self.loops)
            try:
                for service in services[len(self._started) :]:
                    service.start()
                    self._started.append(service)
            except Exception as error:  # a port still taken, a broker still away: worth another try
                reason = f"{type(error).__name__}: {error}"
                expected = isinstance(error, (NovaError, TransportError, OSError))
                _LOG.warning("%s cannot serve yet: %s", self.name, reason, exc_info=not expected)
                self.waiting_for = (reason,)
                return False
            self.state = State.SERVING
        _LOG.info("%s serves as %s", self.name, self.host)
        self._serving.set()
        return True

    def _stop_services(self, timeout_s: float) -> bool:
        deadline = self._clock.monotonic() + timeout_s
        finished = True
        while self._started:
            service = self._started.pop()
            try:
                left = max(0.1, deadline - self._clock.monotonic())
                finished = service.stop(left) and finished
            except Exception:  # one part that cannot stop must not keep the others from it
                _LOG.exception("a part of %s did not stop in order", self.name)
                finished = False
        return finished

    def stop(self, timeout_s: float | None = None) -> bool:
        """Drain and stop within ``timeout_s`` (none: as configured); false when work was left behind."""
        if timeout_s is None:
            timeout_s = self._conf.graceful_shutdown_timeout
        self._stopping.set()
        with self._lock:
            if self.state is State.STOPPED:
                return True
            self.state = State.DRAINING
            finished = self._stop_services(timeout_s)
            if self._parts.close is not None:
                self._parts.close()
            self.state = State.STOPPED
        _LOG.info("%s stopped%s", self.name, "" if finished else ", leaving work behind")
        return finished

    def reload(self) -> None:
        """Take over options that were read again."""
        if self._parts.reload is not None:
            self._parts.reload(self._conf)

    def loop_states(self) -> list[LoopState]:
        """Tell about the daemon's loops."""
        return self.loops.states()


def _is_met(need: Need, told: set[str]) -> bool:
    """Ask for a need; what stands in its way is told once, then (``told``) each other reason once."""
    try:
        return bool(need.met())
    except Exception as error:  # whatever a check meets while the other side is away means: not yet
        reason = f"{type(error).__name__}: {error}"
        _LOG.log(
            logging.DEBUG if reason in told else logging.INFO, "still waiting for %s: %s", need.what, reason
        )
        told.add(reason)
        return False
