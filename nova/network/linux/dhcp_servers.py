"""Which dnsmasq processes live in this network namespace, and who listens where one of ours must.

The kernel's own tables, not pid files: those may be lost, overwritten or restored from another time.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

_PORTS = ((53, ("udp", "tcp")), (67, ("udp",)))
_CONF_FILE = b"--conf-file="
_TCP_LISTEN, _UDP_UNCONNECTED = "0A", "07"


class Server(msgspec.Struct, frozen=True):
    """A dnsmasq that was started with a configuration file."""

    pid: int
    configuration: Path


class Holder(msgspec.Struct, frozen=True):
    """A process that listens."""

    port: int
    words: str
    """The process, for a person."""


def running() -> list[Server]:
    """List the servers of this network namespace; the helpers that dnsmasq forks are not listed."""
    found: dict[int, tuple[int, Path]] = {}
    here = _namespace("/proc/thread-self")
    for pid, command in _processes():
        conf = next((word[len(_CONF_FILE) :] for word in command if word.startswith(_CONF_FILE)), None)
        if conf is None or not os.path.basename(command[0]).startswith(b"dnsmasq"):
            continue
        with contextlib.suppress(OSError):
            if _namespace(f"/proc/{pid}") == here:
                found[pid] = (_parent(pid), Path(os.fsdecode(conf)))
    return [Server(pid, conf) for pid, (parent, conf) in sorted(found.items()) if parent not in found]


def holder(address: str) -> Holder | None:
    """Tell who listens on the ports of a DHCP and DNS server at an IPv4 address, None when nobody does."""
    wanted = {_in_table(address), _in_table("0.0.0.0")}
    for port, kinds in _PORTS:
        sockets = {f"socket:[{inode}]" for kind in kinds for inode in _listening(kind, wanted, port)}
        if sockets:
            return Holder(port, _who(sockets))
    return None


def _listening(kind: str, addresses: set[str], port: int) -> Iterator[str]:
    state = _TCP_LISTEN if kind == "tcp" else _UDP_UNCONNECTED
    for line in Path(f"/proc/thread-self/net/{kind}").read_text().splitlines()[1:]:
        fields = line.split()
        address, _, hexadecimal = fields[1].partition(":")
        if fields[3] == state and int(hexadecimal, 16) == port and address in addresses:
            yield fields[9]


def _in_table(address: str) -> str:
    """Spell an address as the kernel's tables do on a little-endian machine."""
    return ipaddress.IPv4Address(address).packed[::-1].hex().upper()


def _who(sockets: set[str]) -> str:
    for pid, command in _processes():
        with contextlib.suppress(OSError):
            if any(os.readlink(fd) in sockets for fd in Path(f"/proc/{pid}/fd").iterdir()):
                line = b" ".join(command).decode(errors="replace").strip()
                return f"{os.path.basename(line.split()[0])} (pid {pid}: {line[:200]})"
    return "another process"


def _processes() -> Iterator[tuple[int, list[bytes]]]:
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                command = Path(f"/proc/{entry}/cmdline").read_bytes()
                if command:
                    yield int(entry), command.split(b"\0")


def _namespace(process: str) -> int:
    return os.stat(f"{process}/ns/net").st_ino


def _parent(pid: int) -> int:
    found = re.search(r"^PPid:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found[1]) if found else 0
