"""What stands in front of a service that does not speak TLS: takes it, and hands on what is inside."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.support.certificates import Pair


class _Ends:
    """One connection: TLS outside, the service inside."""

    def __init__(self, context: ssl.SSLContext, inner: socket.socket, port: int) -> None:
        self._ours, self._theirs = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._session = context.wrap_bio(self._ours, self._theirs, server_side=True)
        self._lock = threading.Lock()
        self._outer = inner
        self._service = socket.create_connection(("127.0.0.1", port))

    def run(self) -> None:
        threading.Thread(target=self._outwards, daemon=True).start()
        try:
            while data := self._outer.recv(65536):
                with self._lock:
                    self._ours.write(data)
                    plain = self._plain()
                    sealed = self._theirs.read()
                    if sealed:
                        self._outer.sendall(sealed)
                if plain:
                    self._service.sendall(plain)
        except OSError:
            pass
        finally:
            for one in (self._outer, self._service):
                one.close()

    def _plain(self) -> bytes:
        found = b""
        with suppress(ssl.SSLWantReadError):
            while piece := self._session.read(65536):
                found += piece
        return found

    def _outwards(self) -> None:
        with suppress(OSError):
            while data := self._service.recv(65536):
                with self._lock:
                    self._session.write(data)
                    self._outer.sendall(self._theirs.read())
        self._outer.close()


@contextmanager
def tls_front(pair: Pair, behind: int, *, port: int = 0) -> Iterator[int]:
    """Take TLS on ``port`` (0: any, which is given) and hand on to the port ``behind``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    listener = socket.create_server(("127.0.0.1", port))

    def accept() -> None:
        with suppress(OSError):
            while True:
                inner, _ = listener.accept()
                threading.Thread(target=_Ends(context, inner, behind).run, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)  # wakes who waits in accept()
        listener.close()
