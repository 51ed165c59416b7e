"""A TCP proxy before the database that loses the answer to a COMMIT, or the COMMIT itself.

It knows of MySQL's and PostgreSQL's protocol only what a COMMIT looks like on its way to the server: the word
stands alone in a packet.  Lost after: the server's answer has come and is not passed on, so the transaction
*is* committed and the client cannot know.  Lost before: the packet is not passed on, so it is not.
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import threading
from collections import Counter

_COMMIT = re.compile(rb"(?:\A|\x03|\x00|Q....)COMMIT(?:\x00|\Z)", re.DOTALL)
_CHUNK = 1 << 16
AFTER, BEFORE = "after", "before"


class Proxy:
    """Listens on ``port`` and passes on to ``target``; :meth:`lose` arms the loss of coming commits."""

    def __init__(self, port: int, target: tuple[str, int]) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self._guard = threading.Lock()
        self._armed: list[str] = []
        self._links: set[socket.socket] = set()
        self.lost: Counter[str] = Counter()
        threading.Thread(target=self._accept, name="database-proxy", daemon=True).start()

    def lose(self, kinds: list[str]) -> None:
        """Lose the next commits, one for each entry (``after`` or ``before``)."""
        with self._guard:
            self._armed.extend(kinds)

    def armed(self) -> int:
        """Return how many losses have not happened yet."""
        with self._guard:
            return len(self._armed)

    def disarm(self) -> None:
        """Forget losses that have not happened."""
        with self._guard:
            self._armed.clear()

    def cut(self) -> int:
        """Cut every connection at once; return how many there were."""
        with self._guard:
            links = list(self._links)
        for link in links:
            _close(link)
        return len(links)

    def close(self) -> None:
        """Listen no more and cut what there is."""
        _close(self._listener)
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(self._target, timeout=10)
        except OSError:
            _close(client)
            return
        server.settimeout(None)
        for link in (client, server):
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._guard:
            self._links |= {client, server}
        try:
            self._pass_on(client, server)
        except (OSError, ValueError):
            pass  # cut by us: its sockets are closed already
        finally:
            with self._guard:
                self._links -= {client, server}
            _close(client)
            _close(server)

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        while True:
            readable, _, _ = select.select([client, server], [], [])
            for source in readable:
                data = source.recv(_CHUNK)
                if not data:
                    return
                if source is client and _COMMIT.search(data) and (kind := self._take()):
                    if kind == AFTER:
                        server.sendall(data)
                        server.settimeout(10)
                        server.recv(_CHUNK)
                    self.lost[kind] += 1
                    return
                (server if source is client else client).sendall(data)

    def _take(self) -> str | None:
        with self._guard:
            return self._armed.pop(0) if self._armed else None


def _close(link: socket.socket) -> None:
    with contextlib.suppress(OSError):
        link.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError):
        link.close()
