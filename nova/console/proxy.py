"""The websocket proxy: one thread a connection, pages from a folder, bytes in both directions."""

from __future__ import annotations

import functools
import http.server
import io
import logging
import os
import selectors
import socket
import socketserver
import threading
from collections.abc import Callable
from typing import Any

import msgspec
from websockify.websocket import WebSocketWantReadError
from websockify.websocketserver import WebSocketRequestHandlerMixIn

from nova.clock import Clock
from nova.console.admission import is_plain_path, origin_is_ours, token_of
from nova.console.bounds import BoundedWebSocket, HastyReader
from nova.errors import NovaError
from nova.objects.console import ConsoleAuthorization

LOG = logging.getLogger(__name__)

CHUNK = 65536
CONNECT_S = 10.0
IDLE_S = 30.0
"""How long to wait for traffic before looking whether the proxy is being stopped."""


class ProxyOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How the proxy listens."""

    host: str = "0.0.0.0"
    port: int = 6080
    web: str = ""
    allowed_origins: frozenset[str] = frozenset()
    most_connections: int = 1000
    request_s: float = 10.0
    """How long a request may take to arrive."""


Check = Callable[[str], ConsoleAuthorization | None]
"""Tells what a token stands for; raises NovaError when nobody can tell now."""


class _Handler(WebSocketRequestHandlerMixIn, http.server.SimpleHTTPRequestHandler):  # type: ignore[misc]
    server_version = "nova"
    sys_version = ""
    timeout = 30
    protocol_version = "HTTP/1.1"
    SocketClass = BoundedWebSocket

    def __init__(self, *args: Any, proxy: Proxy, **kwargs: Any) -> None:
        self._proxy = proxy
        self._target: socket.socket | None = None
        super().__init__(*args, directory=proxy.options.web or "/nonexistent", **kwargs)

    def setup(self) -> None:
        """Read requests against the clock."""
        super().setup()
        self.rfile = io.BufferedReader(HastyReader(self.connection, self._left))

    def _left(self) -> float:
        return self._deadline - self._proxy.clock.monotonic()

    def handle_one_request(self) -> None:
        """Serve one request that comes in time."""
        self._deadline = self._proxy.clock.monotonic() + self._proxy.options.request_s
        super().handle_one_request()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: request lines carry tokens."""

    def list_directory(self, path: Any) -> None:
        """Show no folders."""
        del path
        self.send_error(404)

    def send_head(self) -> Any:
        """Serve a page of the folder."""
        if not self._proxy.options.web:
            self.send_error(404)
            return None
        if not is_plain_path(self.path):
            self.send_error(400)
            return None
        if os.path.isdir(self.translate_path(self.path)):
            # The library would answer with a redirect.
            self.send_error(404)
            return None
        return super().send_head()

    def handle_upgrade(self) -> None:
        """Judge the request before the websocket is accepted."""
        headers = self.headers
        if not origin_is_ours(
            headers.get("Origin"), headers.get("Host"), self._proxy.options.allowed_origins
        ):
            self._refuse(403, "this page may not open consoles here")
            return
        token = token_of(self.path, headers.get("Cookie"))
        try:
            access = self._proxy.check(token) if token is not None else None
        except NovaError as error:
            self._refuse(503, error.sentence())
            return
        if access is None:
            self._refuse(403, "the console link is not valid any more; please open a new one")
            return
        try:
            self._target = socket.create_connection((access.host, access.port), CONNECT_S)
        except OSError as error:
            LOG.warning("The console of %s at %s:%d: %s", access.instance_id, access.host, access.port, error)
            self._refuse(502, "the console of the server does not answer")
            return
        self.connection.settimeout(self.timeout)
        LOG.info("Console of instance %s opened", access.instance_id)
        try:
            super().handle_upgrade()
        finally:
            self._target.close()
            LOG.info("Console of instance %s closed", access.instance_id)

    def _refuse(self, code: int, reason: str) -> None:
        self.close_connection = True
        self.send_error(code, reason)

    def handle_websocket(self) -> None:
        """Move bytes until either side ends or the proxy stops."""
        browser, target = self.request, self._target
        if target is None:
            return
        target.settimeout(None)
        with selectors.DefaultSelector() as selector:
            selector.register(browser, selectors.EVENT_READ)
            selector.register(target, selectors.EVENT_READ)
            while not self._proxy.stopping.is_set():
                readable = {key.fileobj for key, _ in selector.select(0 if browser.pending() else IDLE_S)}
                if (browser.pending() or browser in readable) and not _to_guest(browser, target):
                    return
                if target in readable and not _to_browser(target, browser):
                    return


def _to_guest(browser: Any, target: socket.socket) -> bool:
    """Hand on one message; false when the browser has ended."""
    try:
        data = browser.recv()
    except WebSocketWantReadError:
        # A part of a message, or one between the websockets themselves (a ping).
        return True
    if data is None:
        return False
    target.sendall(data)
    return True


def _to_browser(target: socket.socket, browser: Any) -> bool:
    """Hand on what the guest's console says; false when it has ended."""
    data = target.recv(CHUNK)
    if not data:
        browser.shutdown(socket.SHUT_RDWR)
        return False
    browser.sendmsg(data)
    return True


class _Listener(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: Any, most: int) -> None:
        self._room = threading.BoundedSemaphore(most)
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Take a connection if there is room for it."""
        if not self._room.acquire(blocking=False):
            LOG.warning("Too many console connections; one is refused")
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection and make room again."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A broken connection concerns nobody else."""
        del request
        LOG.debug("console connection of %s broke", client_address, exc_info=True)


class Proxy:
    """The listener as a part of a daemon."""

    def __init__(self, options: ProxyOptions, check: Check, clock: Clock | None = None) -> None:
        self.options = options
        self.clock = clock or Clock()
        self.check = check
        self.stopping = threading.Event()
        self.address: tuple[str, int] = (options.host, options.port)
        self._listener: _Listener | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to listen; raises OSError when the port is taken."""
        self.stopping.clear()
        handler = functools.partial(_Handler, proxy=self)
        listener = _Listener((self.options.host, self.options.port), handler, self.options.most_connections)
        self.address = (str(listener.server_address[0]), int(listener.server_address[1]))
        self._listener = listener
        self._thread = threading.Thread(
            target=listener.serve_forever, args=(0.2,), name="novncproxy", daemon=True
        )
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Take no new connections; open consoles end within their next pause."""
        self.stopping.set()
        if self._listener is not None:
            self._listener.shutdown()
            self._listener.server_close()
        if self._thread is not None:
            self._thread.join(timeout_s)
        return True
