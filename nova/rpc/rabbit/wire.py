"""The socket to a broker, in the shape that py-amqp asks of its transports.

One thread reads, any thread writes.  Plain sockets may do both at once; a TLS session may not, so there
whoever reads or writes holds the lock, and waiting for something to read is done without it.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import struct
import threading
from collections.abc import Iterator

from nova.rpc.rabbit.brokers import Broker, Tls

_HEADER = b"AMQP\x00\x00\x09\x01"
_AT_ONCE = 65536
_LARGEST_FRAME = 1 << 24
"""Far above what any broker is set to."""


class Wire:
    """Bytes in and out.  ``idle_s`` is how long one read waits, and one write may stand still."""

    def __init__(self, broker: Broker, tls: Tls | None, connect_s: float, idle_s: float) -> None:
        self.connected = False
        self.sock: socket.socket | None = None
        self.lock = threading.Lock()
        self._broker = broker
        self._tls = tls
        self._connect_s = connect_s
        self._idle_s = idle_s

    def connect(self) -> None:
        """Connect and greet; raise ``OSError``."""
        sock = socket.create_connection((self._broker.host, self._broker.port), self._connect_s)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if self._tls is not None:
                context = ssl.create_default_context(cafile=self._tls.ca_file or None)
                if self._tls.cert_file:
                    context.load_cert_chain(self._tls.cert_file, self._tls.key_file or None)
                sock = context.wrap_socket(sock, server_hostname=self._broker.host)
            sock.settimeout(self._idle_s)
            sock.sendall(_HEADER)
        except BaseException:
            sock.close()
            raise
        self.sock = sock
        self.connected = True

    def write(self, data: bytes | memoryview) -> None:
        """Write all; raise ``OSError``.  A broker that takes nothing for ``idle_s`` is given up."""
        with self.lock:
            self.write_locked(data)

    def write_locked(self, data: bytes | memoryview) -> None:
        """Write all; the caller holds :attr:`lock`."""
        if self.sock is None:
            raise ConnectionResetError("the connection is closed")
        # Sending is bounded as a whole, so what is large goes in parts.
        for start in range(0, len(data), _AT_ONCE * 16) if len(data) > _AT_ONCE * 16 else ():
            self.sock.sendall(data[start : start + _AT_ONCE * 16])
        if len(data) <= _AT_ONCE * 16:
            self.sock.sendall(data)

    def read(self) -> bytes:
        """Return what has come; ``TimeoutError`` after ``idle_s``, other ``OSError`` when it is over."""
        sock = self.sock
        if sock is None:
            raise ConnectionResetError("the connection is closed")
        if isinstance(sock, ssl.SSLSocket):
            if not sock.pending():
                with selectors.DefaultSelector() as waiting:
                    waiting.register(sock, selectors.EVENT_READ)
                    if not waiting.select(self._idle_s):
                        raise TimeoutError
            with self.lock:
                data = sock.recv(_AT_ONCE)
        else:
            data = sock.recv(_AT_ONCE)
        if not data:
            raise ConnectionResetError("the broker closed the connection")
        return data

    @contextlib.contextmanager
    def having_timeout(self, _timeout: float | None) -> Iterator[None]:
        """Part of what py-amqp may ask; our times are fixed."""
        yield

    def close(self) -> None:
        """Close at once; whoever reads or writes gets an ``OSError``."""
        self.connected = False
        sock, self.sock = self.sock, None
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()


class Frames:
    """Cuts what was read into frames."""

    __slots__ = ("_bytes", "_start")

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._start = 0

    def feed(self, data: bytes) -> None:
        if self._start:
            del self._bytes[: self._start]
            self._start = 0
        self._bytes += data

    def next(self, unpack: struct.Struct = struct.Struct(">BHI")) -> tuple[int, int, bytes] | None:  # noqa: B008
        """Return type, channel and content of the next frame, or nothing; ``ValueError`` for no AMQP."""
        start, held = self._start, self._bytes
        if len(held) - start < 8:
            return None
        kind, channel, size = unpack.unpack_from(held, start)
        if size > _LARGEST_FRAME:
            raise ValueError("what came is not a frame")
        end = start + 7 + size
        if len(held) <= end:
            return None
        if held[end] != 0xCE:
            raise ValueError("what came is not a frame")
        self._start = end + 1
        return kind, channel, bytes(memoryview(held)[start + 7 : end])
