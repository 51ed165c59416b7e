"""The proxy, with a real websocket client and a server that speaks back."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockify.websocket import WebSocket

from nova.console.proxy import Proxy, ProxyOptions
from nova.objects.console import ConsoleAuthorization
from nova.objects.ids import InstanceId


@pytest.fixture
def guest() -> Iterator[int]:
    """A console that answers in capitals."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                while data := connection.recv(1000):
                    connection.sendall(data.upper())

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()


@pytest.fixture
def proxy(guest: int, tmp_path: Path) -> Iterator[Proxy]:
    (tmp_path / "vnc_lite.html").write_text("the page")

    def check(token: str) -> ConsoleAuthorization | None:
        if token != "good":
            return None
        return ConsoleAuthorization(
            instance_id=InstanceId("i"), protocol="vnc", type="novnc", host="127.0.0.1", port=guest
        )

    running = Proxy(ProxyOptions(host="127.0.0.1", port=0, web=str(tmp_path)), check)
    running.start()
    yield running
    running.stop(5)


def upgrade(proxy: Proxy, path: str, origin: str | None) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(*proxy.address, timeout=5)
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    if origin is not None:
        headers["Origin"] = origin
    connection.request("GET", path, headers=headers)
    return connection.getresponse()


def test_bytes_go_both_ways(proxy: Proxy) -> None:
    host, port = proxy.address
    client = WebSocket()
    # This client names no port in its Host header and drops queries.
    client.connect(f"ws://{host}:{port}/%3Ftoken%3Dgood", origin=f"http://{host}")
    # The guest must not speak first: this client overlooks a frame that comes with the handshake's answer.
    client.sendmsg(b"hello")
    assert client.recvmsg() == b"HELLO"
    client.close()


def test_a_wrong_token_is_refused(proxy: Proxy) -> None:
    host, port = proxy.address
    assert upgrade(proxy, "/?token=bad", f"http://{host}:{port}").status == 403
    assert upgrade(proxy, "/", f"http://{host}:{port}").status == 403


def test_foreign_pages_are_refused_even_with_a_token(proxy: Proxy) -> None:
    assert upgrade(proxy, "/?token=good", "http://evil").status == 403
    assert upgrade(proxy, "/?token=good", None).status == 403


def test_pages_are_served_and_nothing_else(proxy: Proxy) -> None:
    def get(path: str) -> int:
        connection = http.client.HTTPConnection(*proxy.address, timeout=5)
        connection.request("GET", path)
        return connection.getresponse().status

    assert get("/vnc_lite.html?path=x") == 200
    assert get("/") == 404
    assert get("//evil/%2F..") == 400
    assert get("/%2e%2e/etc/passwd") == 400
