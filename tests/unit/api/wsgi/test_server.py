"""The HTTP server in both concurrency modes, as a process of its own."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

WAIT_S = 20


class Served:
    def __init__(self, mode: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.unit.api.wsgi.served"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "NOVA_CONCURRENCY": mode},
            text=True,
        )
        self.port = int(self.process.stdout.readline())

    def stop(self) -> dict:
        self.process.stdin.write("stop\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@pytest.fixture(params=["eventlet", "threading"])
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    running = Served(request.param)
    yield running
    running.process.kill()
    running.process.communicate()


def ask(connection: http.client.HTTPConnection, path: str, body: bytes | None = None) -> bytes:
    connection.request("POST" if body else "GET", path, body=body)
    answer = connection.getresponse()
    assert answer.status == 200
    return answer.read()


def test_keeps_connections_alive(served: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=WAIT_S)
    assert ask(connection, "/one") == b"GET /one "
    port = connection.sock.getsockname()[1]
    assert ask(connection, "/two", b"hello") == b"POST /two hello"
    assert connection.sock.getsockname()[1] == port


def test_stop_finishes_requests_and_closes_idle_connections(served: Served) -> None:
    idle = http.client.HTTPConnection("127.0.0.1", served.port, timeout=WAIT_S)
    ask(idle, "/idle")
    slow = http.client.HTTPConnection("127.0.0.1", served.port, timeout=WAIT_S)
    slow.connect()
    slow.sock.sendall(b"GET /slow HTTP/1.1\r\nHost: here\r\n\r\n")
    # A second request on another connection: once it is answered the slow one has surely been taken.
    ask(http.client.HTTPConnection("127.0.0.1", served.port, timeout=WAIT_S), "/later")
    told: list[dict] = []
    stopper = threading.Thread(target=lambda: told.append(served.stop()))
    stopper.start()
    answer = http.client.HTTPResponse(slow.sock)
    answer.begin()
    assert answer.status == 200 and answer.read() == b"GET /slow "
    stopper.join(WAIT_S)
    assert told and told[0]["finished"] is True
    idle.sock.settimeout(WAIT_S)
    assert idle.sock.recv(1) == b""
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", served.port), timeout=1).close()
