"""TCP ports: which are free, and which process holds one."""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path

from nova_tools.trouble import Trouble

_LISTEN = "0A"


def free_port(address: str = "127.0.0.1") -> int:
    """Return a port that nobody listens on now (it may be taken a moment later)."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port


def answers(address: str, port: int, seconds: float = 0.5) -> bool:
    """Tell whether something accepts connections there."""
    try:
        with socket.create_connection((address, port), timeout=seconds):
            return True
    except OSError:
        return False


def is_free(address: str, port: int) -> bool:
    """Tell whether we could listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
        return True


def holder(port: int) -> str | None:
    """Describe the process that listens on a port (``name (pid N)``), or None when it cannot be told."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            inodes |= listening_inodes(Path(table).read_text(), port)
    if not inodes:
        return None
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and _holds(process, wanted):
            name = (process / "comm").read_text().strip()
            return f"{name} (pid {process.name})"
    return None


def listening_inodes(table: str, port: int) -> set[str]:
    """Read a ``/proc/net/tcp`` table: the socket inodes that listen on a port."""
    found = set()
    for line in table.splitlines()[1:]:
        fields = line.split()
        if fields[3] == _LISTEN and int(fields[1].rsplit(":", 1)[1], 16) == port:
            found.add(fields[9])
    return found


def _holds(process: Path, wanted: set[str]) -> bool:
    try:
        return any(os.readlink(fd) in wanted for fd in (process / "fd").iterdir())
    except OSError:
        return False


def require_free(address: str, port: int, purpose: str, advice: str = "") -> None:
    """Raise :class:`Trouble` that names the holder when a port is taken."""
    if is_free(address, port):
        return
    who = holder(port) or "another process"
    raise Trouble(
        f"Port {port}, wanted for {purpose}, is held by {who}",
        advice or "Stop that process, or choose other ports with NOVA_CLOUD_PORT_OFFSET, and run this again",
    )
