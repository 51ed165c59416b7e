"""Many clients of one API who all ask at the same moment, each over a connection of its own."""

from __future__ import annotations

import concurrent.futures
import http.client
import json
import threading
from collections.abc import Callable
from typing import Any

from tests.support.cloud import Answer
from tests.support.microversions import NEWEST

CLIENTS = 64


class Client:
    """One of them."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, who: str, method: str, path: str, body: Any = None, *, version: str = NEWEST) -> Answer:
        """Send one request below /v2.1 as ``user:project``."""
        headers = {"X-Auth-Token": who, "OpenStack-API-Version": f"compute {version}"}
        data = None
        if body is not None:
            data = json.dumps(body)
            headers["Content-Type"] = "application/json"
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=120)
        try:
            self._connection.request(method, f"/v2.1{path}", data, headers)
            answer = self._connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionError, BrokenPipeError):
            # The server closed an idle connection; nothing of the request was carried out.
            self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=120)
            self._connection.request(method, f"/v2.1{path}", data, headers)
            answer = self._connection.getresponse()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())


class Crowd:
    """So many clients; a context manager."""

    def __init__(self, port: int, size: int = CLIENTS) -> None:
        self.size = size
        self._clients = [Client(port) for _ in range(size)]
        self._pool = concurrent.futures.ThreadPoolExecutor(size)

    def __enter__(self) -> Crowd:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def race(self, ask: Callable[[Client, int], Answer]) -> list[Answer]:
        """Let all ask at once; return what each was told."""
        start = threading.Barrier(self.size)

        def one(number: int) -> Answer:
            start.wait(60)
            return ask(self._clients[number], number)

        return list(self._pool.map(one, range(self.size)))
