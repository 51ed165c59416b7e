"""Give a lease back in the name of its owner, so that the server may lend the address to somebody else.

dnsmasq holds leases in memory; one of a guest that is gone would bar its address until it ends.  The message
is a DHCPRELEASE (RFC 2131, section 4.4.4), sent to the server over the device it serves.
"""

from __future__ import annotations

import socket
import struct

_BOOTREQUEST, _ETHERNET, _MAC_BYTES = 1, 1, 6
_MAGIC = bytes((99, 130, 83, 99))
_MESSAGE_TYPE, _SERVER_ID, _END = 53, 54, 255
_DHCPRELEASE = 7
_SERVER_PORT, _CLIENT_PORT = 67, 68


def packet(mac: str, address: str, server: str, transaction: int = 1) -> bytes:
    """Return the message by which the owner of ``mac`` gives ``address`` back."""
    head = struct.pack(
        "!BBBBIHH4s4s4s4s16s64s128s",
        _BOOTREQUEST,
        _ETHERNET,
        _MAC_BYTES,
        0,
        transaction,
        0,
        0,
        socket.inet_aton(address),
        bytes(4),
        bytes(4),
        bytes(4),
        bytes.fromhex(mac.replace(":", "")).ljust(16, b"\0"),
        b"",
        b"",
    )
    kind = bytes((_MESSAGE_TYPE, 1, _DHCPRELEASE))
    to = bytes((_SERVER_ID, 4)) + socket.inet_aton(server)
    return head + _MAGIC + kind + to + bytes((_END,))


def release(device: str, mac: str, address: str, server: str) -> None:
    """Send the message; nobody answers it, and a server that knows no such lease ignores it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
        sock.sendto(packet(mac, address, server), (server, _SERVER_PORT))
