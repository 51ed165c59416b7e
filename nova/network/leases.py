"""Leases: what dnsmasq tells us about guests that took or gave back their address.

The events come in over a unix socket (:mod:`nova.network.dhcpbridge`), are remembered, and go on to the
conductor, again and again until it took them.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from nova.clock import Clock
from nova.objects.network import FixedIp

_LOG = logging.getLogger(__name__)

MAX_LINE = 512
_MAX_PATH = 107
"""The kernel's bound for the name of a unix socket."""
_TIMEOUT_S = 5.0
_AT_ONCE = 16

Holder = tuple[str, str]
"""MAC and address."""


class LeaseEvent(msgspec.Struct, frozen=True):
    """A guest has its lease, or has it no longer."""

    network: str
    mac: str
    address: str
    leased: bool


def parse_event(line: str) -> LeaseEvent | None:
    """Read ``add|del NETWORK MAC ADDRESS``; none for anything else."""
    words = line.split()
    if len(words) != 4 or words[0] not in ("add", "del"):
        return None
    return LeaseEvent(words[1], words[2].lower(), words[3], words[0] == "add")


class Leases:
    """What this agent knows of leases beyond the truth, and what it has not yet told."""

    def __init__(
        self, tell: Callable[[LeaseEvent], None], clock: Clock, *, lease_time_s: int = 86400
    ) -> None:
        self._tell = tell
        self._clock = clock
        self._lease_time_s = lease_time_s
        self._lock = threading.Lock()
        self._seen: dict[Holder, bool] = {}
        self._untold: dict[Holder, LeaseEvent] = {}
        self._held: tuple[FixedIp, ...] = ()
        self.on_event: Callable[[], None] = lambda: None
        """Called after each event: somebody should call :meth:`flush` soon."""

    def take(self, event: LeaseEvent) -> None:
        """Remember an event; the newest of a guest is the one that counts."""
        holder = (event.mac, event.address)
        with self._lock:
            self._seen[holder] = event.leased
            self._untold.pop(holder, None)
            self._untold[holder] = event
        self.on_event()

    def flush(self) -> str | None:
        """Tell what is untold, oldest first.  Raises what telling raises; nothing is lost then."""
        told = 0
        while True:
            with self._lock:
                holder = next(iter(self._untold), None)
                if holder is None:
                    return f"{told} told" if told else None
                event = self._untold[holder]
            self._tell(event)
            told += 1
            with self._lock:
                if self._untold.get(holder) is event:
                    del self._untold[holder]

    def learn(self, held: tuple[FixedIp, ...]) -> None:
        """Take the truth over; forget what it says nothing of any more."""
        holders = {((f.mac or "").lower(), f.address) for f in held}
        with self._lock:
            self._held = held
            self._seen = {h: leased for h, leased in self._seen.items() if h in holders}

    def remembered(self, network: str) -> str:
        """Return the living leases of a network in the form of dnsmasq's lease file."""
        expiry = int(self._clock.now().timestamp()) + self._lease_time_s
        lines = []
        with self._lock:
            for fixed in self._held:
                mac = (fixed.mac or "").lower()
                if fixed.network_id != network or not mac or ":" in fixed.address:
                    continue
                if self._seen.get((mac, fixed.address), fixed.leased):
                    lines.append(f"{expiry} {mac} {fixed.address} * *\n")
        return "".join(lines)


class LeaseListener:
    """The socket on which dnsmasq's callback reports.  A service: :meth:`start`, :meth:`stop`."""

    def __init__(self, leases: Leases, path: str, spools: Callable[[], Iterable[Path]]) -> None:
        if len(os.fsencode(path)) > _MAX_PATH:
            raise ValueError(f"the name of the lease socket is longer than {_MAX_PATH} bytes: {path}")
        self._leases = leases
        self._path = path
        self._spools = spools
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._slots = threading.Semaphore(_AT_ONCE)

    def start(self) -> None:
        """Listen; then read what was kept while nobody listened."""
        os.makedirs(os.path.dirname(self._path), exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        listener.bind(self._path)
        os.chmod(self._path, 0o600)
        listener.listen(128)
        self._socket = listener
        self._thread = threading.Thread(target=self._serve, args=(listener,), name="leases", daemon=True)
        self._thread.start()
        self.read_spools()

    def stop(self, timeout_s: float) -> bool:
        """Listen no more; events are kept in the spool from now on."""
        listener, self._socket = self._socket, None
        if listener is None:
            return True
        # A call of our own ends the wait for the next one; under green threads a shutdown would not.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knock:
            knock.connect(self._path)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)
        if self._thread is not None:
            self._thread.join(timeout_s)
        # Closed only now: a green thread that waits on a closed descriptor is never woken.
        listener.close()
        return self._thread is None or not self._thread.is_alive()

    def read_spools(self) -> int:
        """Take over the events that callers kept; return how many."""
        found = 0
        for spool in self._spools():
            # Renamed first: events that come in meanwhile start a new file.
            reading = spool.with_name(f"{spool.name}.reading")
            with contextlib.suppress(FileNotFoundError):
                if not reading.exists():
                    os.rename(spool, reading)
            with contextlib.suppress(FileNotFoundError):
                for line in reading.read_text("ascii", "replace").splitlines():
                    event = parse_event(line)
                    if event is not None:
                        self._leases.take(event)
                        found += 1
                reading.unlink()
        return found

    def _serve(self, listener: socket.socket) -> None:
        while self._socket is not None:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            if self._socket is None:
                connection.close()
                return
            self._slots.acquire()
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        try:
            with connection:
                connection.settimeout(_TIMEOUT_S)
                line = _read_line(connection)
                if line.startswith("init "):
                    said = self._leases.remembered(line.split()[1])
                else:
                    event = parse_event(line)
                    if event is None:
                        return
                    self._leases.take(event)
                    said = ""
                connection.sendall(b"ok\n" + said.encode("ascii"))
        except OSError as error:
            _LOG.warning("an event of a lease was cut off: %s", error)
        finally:
            self._slots.release()


def _read_line(connection: socket.socket) -> str:
    read = b""
    while b"\n" not in read and len(read) < MAX_LINE:
        part = connection.recv(MAX_LINE)
        if not part:
            break
        read += part
    return read.decode("ascii", "replace")
