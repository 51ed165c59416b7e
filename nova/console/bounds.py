"""What strangers can make the proxy hold: time for a request, memory for a frame."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable
from typing import Any

from websockify.websocketserver import HttpWebSocket

MOST_FRAME = 1 << 20
"""Bytes of one message of a browser; those of a console are some dozens, a pasted text some thousands."""
_LONG_FORM = 127


class FrameTooLong(ConnectionError):
    """A message announces, or has become, more bytes than anybody needs."""


class BoundedWebSocket(HttpWebSocket):  # type: ignore[misc]
    """A websocket that does not wait for the end of a message of 4 GiB."""

    def _decode_hybi(self, buf: bytes) -> Any:
        if len(buf) >= 10 and buf[1] & 0x7F == _LONG_FORM and int.from_bytes(buf[2:10], "big") > MOST_FRAME:
            raise FrameTooLong()
        return super()._decode_hybi(buf)

    def _recv_frames(self) -> Any:
        if len(self._partial_msg) > MOST_FRAME:
            raise FrameTooLong()
        return super()._recv_frames()


class HastyReader(io.RawIOBase):
    """Reads a socket, but not for longer than until a moment that is moved with each request."""

    def __init__(self, connection: socket.socket, left: Callable[[], float]) -> None:
        self._connection = connection
        self._left = left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what is there; raise ``TimeoutError`` when the time is up, however little is missing."""
        left = self._left()
        if left <= 0:
            raise TimeoutError("the request did not come to its end in time")
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)
