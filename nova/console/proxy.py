"""The websocket proxy: one thread a connection, pages from a folder, bytes in both directions."""

from __future__ import annotations

import functools
import http.server
import logging
import select
import socket
import socketserver
import threading
from collections.abc import Callable
from typing import Any

import msgspec
from websockify.websocketserver import WebSocketRequestHandlerMixIn

from nova.console.admission import is_plain_path, origin_is_ours, token_of
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


Check = Callable[[str], ConsoleAuthorization | None]
"""Tells what a token stands for; raises NovaError when nobody can tell now."""


class _Handler(WebSocketRequestHandlerMixIn, http.server.SimpleHTTPRequestHandler):  # type: ignore[misc]
    server_version = "nova"
    sys_version = ""
    timeout = 30
    protocol_version = "HTTP/1.1"

    def __init__(self, *args: Any, proxy: Proxy, **kwargs: Any) -> None:
        self._proxy = proxy
        self._target: socket.socket | None = None
        super().__init__(*args, directory=proxy.options.web or "/nonexistent", **kwargs)

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
        while not self._proxy.stopping.is_set():
            if not browser.pending():
                readable, _, _ = select.select([browser, target], [], [], IDLE_S)
            else:
                readable = [browser]
            if browser in readable:
                data = browser.recv()
                if not data:
                    return
                target.sendall(data)
            if target in readable:
                data = target.recv(CHUNK)
                if not data:
                    browser.shutdown(socket.SHUT_RDWR)
                    return
                browser.sendmsg(data)


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

    def __init__(self, options: ProxyOptions, check: Check) -> None:
        self.options = options
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
