"""The small HTTP listener of every process: is it alive, is it ready, what does it count.

``/healthz``  200 while the process lives, 503 with the reason when a part of it is stuck
``/readyz``   200 when every daemon of the process serves, else 503 and what each one waits for
``/metrics``  Prometheus text
``/loops``    the last run of every loop

One thread answers one request after the other; a slow client is cut off.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections.abc import Callable, Mapping

import msgspec
from prometheus_client import CollectorRegistry, generate_latest

_LOG = logging.getLogger(__name__)

_REASONS = {200: "OK", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}
_PATIENCE_S = 2.0


class Answer(msgspec.Struct, frozen=True):
    """What a page says."""

    status: int
    body: bytes
    content_type: str = "application/json"


Page = Callable[[], Answer]


def as_json(status: int, value: object) -> Answer:
    """Make a page of a value."""
    return Answer(status, msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")


def metrics_page(registry: CollectorRegistry) -> Page:
    """Make the page ``/metrics`` of a registry."""
    return lambda: Answer(200, generate_latest(registry), "text/plain; version=0.0.4; charset=utf-8")


class HealthServer:
    """Serves ``pages`` (path to page) until stopped."""

    def __init__(self, address: str, port: int, pages: Mapping[str, Page]) -> None:
        self._address = (address, port)
        self._pages = pages
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Listen; on a taken port take any other (two processes of one program on a host)."""
        family = socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(self._address)
        except OSError as error:
            _LOG.warning("health port %s:%s is taken (%s), taking another", *self._address, error)
            listener.bind((self._address[0], 0))
        listener.listen(16)
        self._socket = listener
        _LOG.info("health pages on http://%s:%d/", self._address[0], self.port)
        self._thread = threading.Thread(target=self._serve, args=(listener,), name="health", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that is listened on."""
        assert self._socket is not None
        port: int = self._socket.getsockname()[1]
        return port

    def stop(self) -> None:
        """Stop listening."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()
            self._socket = None

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                try:
                    client.settimeout(_PATIENCE_S)
                    client.sendall(self._answer(_first_line(client)))
                except Exception:  # no client, and no page, may end this thread
                    _LOG.debug("a health request failed", exc_info=True)

    def _answer(self, line: str) -> bytes:
        method, _, rest = line.partition(" ")
        path = rest.partition(" ")[0].partition("?")[0]
        page = self._pages.get(path)
        if method not in ("GET", "HEAD"):
            answer = as_json(405, {"error": "only GET"})
        elif page is None:
            answer = as_json(404, {"pages": sorted(self._pages)})
        else:
            answer = page()
        head = (
            f"HTTP/1.1 {answer.status} {_REASONS.get(answer.status, 'Unknown')}\r\n"
            f"Content-Type: {answer.content_type}\r\nContent-Length: {len(answer.body)}\r\n"
            "Connection: close\r\n\r\n"
        )
        return head.encode() + (b"" if method == "HEAD" else answer.body)


def _first_line(client: socket.socket) -> str:
    """Read the request up to the end of its head and return its first line."""
    data = b""
    while b"\r\n\r\n" not in data and len(data) < 8192:
        part = client.recv(4096)
        if not part:
            break
        data += part
    return data.split(b"\r\n", 1)[0].decode("latin-1")
