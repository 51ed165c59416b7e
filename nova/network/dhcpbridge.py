"""dnsmasq's callback: tells the agent of leases, over its unix socket.

dnsmasq starts this file by itself (``python -I -S``) for every lease, so it imports little and nothing of
nova.  Arguments: ``SOCKET SPOOL NETWORK`` and dnsmasq's own: ``add|old|del MAC ADDRESS [NAME]`` or ``init``.
An event that the agent cannot take at the moment is kept in the spool file, which the agent reads later.
``init`` prints the leases that the agent remembers, in the form of dnsmasq's lease file.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys

TIMEOUT_S = 5.0
_REPORTED = ("add", "del")
_MAX_ANSWER = 16 * 1024 * 1024


def main(argv: list[str]) -> int:
    """Handle one call; return the exit code."""
    if len(argv) < 5:
        sys.stderr.write("usage: dhcpbridge SOCKET SPOOL NETWORK add|old|del|init [MAC ADDRESS [NAME]]\n")
        return 2
    path, spool, network, action, *rest = argv[1:]
    if action == "init":
        # Without memory of leases dnsmasq accepts what guests say of theirs.
        with contextlib.suppress(OSError):
            sys.stdout.write(ask(path, f"init {network}\n"))
        return 0
    if action not in _REPORTED or len(rest) < 2:
        return 0
    line = f"{action} {network} {rest[0]} {rest[1]}\n"
    try:
        ask(path, line)
    except OSError:
        keep(spool, line)
    return 0


def ask(path: str, line: str) -> str:
    """Send one line to the agent and return what it says."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(TIMEOUT_S)
        sock.connect(path)
        sock.sendall(line.encode("ascii", "replace"))
        sock.shutdown(socket.SHUT_WR)
        parts, size = [], 0
        while size < _MAX_ANSWER:
            part = sock.recv(65536)
            if not part:
                break
            parts.append(part)
            size += len(part)
    answer = b"".join(parts).decode("ascii", "replace")
    if not answer.startswith("ok\n"):
        raise OSError("the agent did not take the event")
    return answer[3:]


def keep(spool: str, line: str) -> None:
    """Append a line to the spool; one write, so lines of several callers do not mix."""
    fd = os.open(spool, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, line.encode("ascii", "replace"))
    finally:
        os.close(fd)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
