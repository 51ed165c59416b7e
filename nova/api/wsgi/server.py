"""The HTTP server under a mouth: eventlet's on green threads, waitress on native ones.

A :class:`HttpServer` is a service of a daemon: it starts, and when it stops it takes no new connections,
finishes the requests in flight and closes the idle connections.
"""

from __future__ import annotations

import errno
import io
import logging
import resource
import socket
import threading
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from nova import concurrency
from nova.api.wsgi.peers import Peers
from nova.api.wsgi.response import WSGI, StartResponse
from nova.clock import Clock
from nova.conf.wsgi import ServerConf

LOG = logging.getLogger(__name__)

_LOOK_S = 0.02
_MAX_CONNECTIONS = 10_000
_OWN_FILES = 64
"""Descriptors that the process needs for itself."""
_SHORT = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_BROKEN = frozenset({errno.ECONNABORTED, errno.ECONNRESET, errno.EPROTO})
_SHORT_PAUSE_S = 0.1


def most_connections() -> int:
    """Return how many connections can be held: idle ones cost a descriptor each and little else."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return max(16, min(_MAX_CONNECTIONS, files - 2 * _OWN_FILES))


class _Engine(Protocol):
    def run(self) -> None:
        """Serve until told to stop."""

    def stop(self, timeout_s: float) -> bool:
        """Stop in good order; tell whether everything was finished."""


def listen(conf: ServerConf) -> socket.socket:
    """Return a listening socket; several processes share the port if ``reuse_port`` says so."""
    family = socket.AF_INET6 if ":" in conf.listen else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if conf.reuse_port:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((conf.listen, conf.port))
        listener.listen(conf.backlog)
    except OSError:
        listener.close()
        raise
    return listener


class HttpServer:
    """Serves one WSGI application on one port."""

    def __init__(
        self, app: WSGI, conf: ServerConf, clock: Clock, *, name: str = "api", peers: Peers | None = None
    ) -> None:
        self._app = app
        self._peers = peers
        self._conf = conf
        self._clock = clock
        self._name = name
        self._engine: _Engine | None = None
        self._thread: threading.Thread | None = None
        self.address: tuple[str, int] | None = None
        """Where it listens, once it has started (the port, if the configuration said 0)."""

    def start(self) -> None:
        """Listen and serve in a thread of its own; raise ``OSError`` if the address cannot be had."""
        listener = listen(self._conf)
        self.address = listener.getsockname()[:2]
        engine = _Green if concurrency.is_green() else _Native
        self._engine = engine(self._serve, listener, self._conf, self._clock, self._peers)
        self._thread = threading.Thread(target=self._engine.run, name=f"http-{self._name}", daemon=True)
        self._thread.start()
        LOG.info("%s listens on %s port %d", self._name, *self.address)

    def replace(self, app: WSGI) -> None:
        """Serve another application from the next request on; those in flight end with the old one."""
        self._app = app

    def _serve(self, environ: dict[str, Any], start_response: Any) -> Any:
        return self._app(environ, start_response)

    def stop(self, timeout_s: float) -> bool:
        """Finish what was begun within ``timeout_s``; return false when requests were left behind."""
        if self._engine is None or self._thread is None:
            return True
        timeout_s = min(timeout_s, self._conf.drain_s)
        deadline = self._clock.monotonic() + timeout_s
        finished = self._engine.stop(timeout_s)
        self._thread.join(max(0.1, deadline - self._clock.monotonic()))
        finished = finished and not self._thread.is_alive()
        self._engine = self._thread = None
        return finished


class Gate:
    """Lets so many requests pass at a time, each only when its body is here: a slow sender takes no place.

    Waitress works that way by itself.
    """

    def __init__(self, app: WSGI, conf: ServerConf) -> None:
        self._app = app
        self._room = threading.BoundedSemaphore(conf.pool_size)
        self._max_body = conf.max_body

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH") or ""
        chunked = bool(environ.get("wsgi.input_terminated"))
        wanted = int(length) if length.isascii() and length.isdigit() and len(length) < 19 else 0
        if chunked or 0 < wanted <= self._max_body:
            try:
                # One byte more than is allowed tells the application that there is too much.
                data = environ["wsgi.input"].read(self._max_body + 1 if chunked else wanted)
            except (OSError, ValueError):
                data = None
            if data is None or len(data) < wanted:
                start_response("400 Bad Request", [("Content-Length", "0"), ("Connection", "close")])
                return [b""]
            environ["wsgi.input"] = io.BytesIO(data)
        with self._room:
            return self._app(environ, start_response)


class Listener:
    """A listening socket that outlives what single clients do, and a lack of descriptors."""

    def __init__(self, listener: socket.socket, clock: Clock) -> None:
        self._listener = listener
        self._clock = clock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._listener, name)

    def accept(self) -> tuple[socket.socket, Any]:
        """Return the next connection; raise ``OSError`` only when the listener itself is at its end."""
        while True:
            try:
                return self._listener.accept()
            except OSError as error:
                if error.errno in _SHORT:
                    _wait_for_room(error, self._clock)
                elif error.errno not in _BROKEN:
                    raise


def _wait_for_room(error: OSError, clock: Clock) -> None:
    LOG.warning("No connection can be taken just now: %s", error)
    clock.sleep(_SHORT_PAUSE_S)


class _Green:
    """Eventlet's server: a green thread for each connection."""

    def __init__(
        self, app: WSGI, listener: socket.socket, conf: ServerConf, clock: Clock, peers: Peers | None
    ) -> None:
        self._app = Gate(app, conf)
        self._peers = peers
        self._listener = listener
        self._patient = Listener(listener, clock)
        self._conf = conf
        self._stopping = False

    def run(self) -> None:
        try:
            concurrency.serve_wsgi(
                self._app,
                self._patient,
                connections=most_connections(),
                keepalive_seconds=self._conf.keep_alive_s,
                log=LOG,
                peers=self._peers,
            )
        except OSError:
            # Shutting the listener down is what ends the server's wait for the next connection.
            if not self._stopping:
                raise

    def stop(self, timeout_s: float) -> bool:  # noqa: ARG002
        self._stopping = True
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            LOG.debug("the listener was closed already")
        return True


class _Native:
    """Waitress: one thread for all sockets, a pool for the application."""

    def __init__(
        self, app: WSGI, listener: socket.socket, conf: ServerConf, clock: Clock, peers: Peers | None
    ) -> None:
        import waitress
        from waitress import wasyncore

        self._wasyncore: Any = wasyncore
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        self._clock = clock
        self._server: Any = waitress.create_server(
            app,
            sockets=[listener],
            threads=conf.threads,
            channel_timeout=max(1, int(conf.keep_alive_s)),
            connection_limit=most_connections(),
            # select() knows descriptors below 1024 only.
            asyncore_use_poll=True,
            ident="",
            clear_untrusted_proxy_headers=False,
            expose_tracebacks=False,
        )

        self._peers = peers
        self._accept: Callable[[], Any] = self._server.accept
        self._server.accept = self._accept_if_possible

    def _accept_if_possible(self) -> Any:
        """Return the next connection or none; a lack of descriptors is waited for, not logged without end."""
        try:
            found = self._accept()
        except OSError as error:
            if error.errno not in _SHORT:
                raise
            _wait_for_room(error, self._clock)
            return None
        if found is not None and self._is_one_too_many(found[1][0]):
            found[0].close()
            return None
        return found

    def _is_one_too_many(self, peer: str) -> bool:
        if self._peers is None:
            return False
        held = sum(channel.addr[0] == peer for channel in self._server.active_channels.values())
        return self._peers.is_too_many(peer, held)

    def run(self) -> None:
        self._server.run()

    def stop(self, timeout_s: float) -> bool:
        deadline = self._clock.monotonic() + timeout_s
        server = self._server
        # Only the listener is closed: the server's own close() would take the waker of the socket thread too.
        self._in_loop(lambda: self._wasyncore.dispatcher.close(server))
        while self._busy() and self._clock.monotonic() < deadline:
            self._clock.sleep(_LOOK_S)
        finished = not self._busy()
        server.task_dispatcher.shutdown(timeout=max(0.1, deadline - self._clock.monotonic()))
        self._in_loop(self._close_all)
        return finished

    def _busy(self) -> bool:
        channels = list(self._server.active_channels.values())
        return any(channel.requests or channel.total_outbufs_len for channel in channels)

    def _in_loop(self, deed: Callable[[], None]) -> None:
        """Have the socket thread do something: nobody else may touch its map."""
        self._server.trigger.pull_trigger(deed)

    def _close_all(self) -> None:
        for channel in list(self._server.active_channels.values()):
            channel.handle_close()
        self._server.trigger.close()
