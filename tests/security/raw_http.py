"""HTTP by hand: bytes out, bytes in, nothing corrected on the way."""

from __future__ import annotations

import http.client
import io
import socket

PATIENCE_S = 20.0


class RawAnswer:
    """One answer: status, headers with lower-case names, body."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def __repr__(self) -> str:
        return f"<{self.status} {self.body[:200]!r}>"


class _Plug:
    """What ``http.client`` wants of a socket: a file of the bytes that came."""

    def __init__(self, data: io.BytesIO) -> None:
        self._data = data

    def makefile(self, mode: str) -> io.BytesIO:
        return self._data


def converse(
    port: int, data: bytes, *, half_close: bool = True, patience_s: float = PATIENCE_S
) -> list[RawAnswer]:
    """Send bytes, say no more is coming, and return every answer until the server hangs up.

    Raises ``TimeoutError`` when it neither answers nor hangs up.
    """
    received = b""
    with socket.create_connection(("127.0.0.1", port), patience_s) as connection:
        try:
            connection.sendall(data)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65536):
                received += part
        except OSError as error:
            # The server had seen enough; a silent one is another matter.
            if isinstance(error, TimeoutError):
                raise
    return parsed(received)


def parsed(received: bytes) -> list[RawAnswer]:
    """Take the bytes of a connection apart; what is no HTTP fails."""
    answers, stream = [], io.BytesIO(received)
    # A peek needs no lock: nobody else reads the stream.
    while stream.tell() < len(received):
        plug = _Plug(stream)
        stream.close = lambda: None  # type: ignore[method-assign]
        response = http.client.HTTPResponse(plug)  # type: ignore[arg-type]
        response.begin()
        body = response.read()
        headers = {key.lower(): value for key, value in response.getheaders()}
        answers.append(RawAnswer(response.status, headers, body))
    return answers


def request(
    method: str = "GET",
    path: str | bytes = "/v2.1/servers",
    body: bytes | None = None,
    *,
    headers: dict[str, bytes] | None = None,
    version: bytes = b"HTTP/1.1",
) -> bytes:
    """Return the bytes of a request that a member sends and then hangs up."""
    known: dict[str, bytes] = {
        "Host": b"127.0.0.1",
        "X-Auth-Token": b"demo:demo",
        "OpenStack-API-Version": b"compute 2.104",
        "Connection": b"close",
    }
    if body is not None:
        known |= {"Content-Type": b"application/json", "Content-Length": str(len(body)).encode()}
    known |= headers or {}
    target = path if isinstance(path, bytes) else path.encode()
    lines = [b" ".join((method.encode(), target, version))]
    lines += [name.encode() + b": " + value for name, value in known.items()]
    return b"\r\n".join((*lines, b"", b"")) + (body or b"")
