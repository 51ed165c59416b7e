"""Network devices, addresses and routes through netlink.

pyroute2 runs an asyncio loop of its own, which green threads of one native thread would trip over: every
verb runs in a native thread.  Verbs are idempotent and tell whether they changed anything.  They act on the
network namespace this process runs in.
"""

from __future__ import annotations

import errno
import ipaddress
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import msgspec

from nova.concurrency import in_native_thread
from nova.errors.host import LinkMissing, LinkRefused

T = TypeVar("T")

MAX_NAME = 15
"""Longest name of a device, in characters (the kernel's IFNAMSIZ without the final zero)."""
SCOPE_GLOBAL, SCOPE_LINK = 0, 253
_IFF_UP = 0x1


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One network device as the kernel has it."""

    index: int
    name: str
    kind: str
    """``bridge``, ``veth``, ``tun``, ...; empty for hardware."""
    up: bool
    mtu: int
    mac: str
    master: int
    """Index of the bridge it is a port of; 0 for none."""
    alias: str
    """Free text that tells whose device it is."""


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """An address on a device."""

    device: str
    interface: str
    """``a.b.c.d/n``."""
    scope: int


class Links:
    """The devices of this network namespace."""

    def all(self) -> list[Link]:
        """Return every device."""
        return _do(lambda ip: [_link(m) for m in ip.get_links()])

    def find(self, name: str) -> Link | None:
        """Return one device; none when there is no such name."""
        return _do(lambda ip: _find(ip, name))

    def create_bridge(self, name: str, *, alias: str = "") -> bool:
        """Make a bridge that forwards at once and speaks no spanning tree.  An existing one is left alone."""

        def act(ip: Any) -> bool:
            if _find(ip, name) is not None:
                return False
            try:
                ip.link("add", ifname=name, kind="bridge", br_forward_delay=0, br_stp_state=0)
            except _netlink_error() as error:
                if error.code != errno.EEXIST:
                    raise
                return False
            if alias:
                ip.link("set", index=_need(ip, name).index, ifalias=alias)
            return True

        return _do(act)

    def create_veth(self, name: str, peer: str) -> bool:
        """Make a pair of devices that are the two ends of a cable.  An existing one is left alone."""

        def act(ip: Any) -> bool:
            if _find(ip, name) is not None:
                return False
            ip.link("add", ifname=name, kind="veth", peer={"ifname": peer})
            return True

        return _do(act)

    def delete(self, name: str) -> bool:
        """Take a device away; none there is fine."""

        def act(ip: Any) -> bool:
            link = _find(ip, name)
            if link is None:
                return False
            try:
                ip.link("del", index=link.index)
            except _netlink_error() as error:
                if error.code != errno.ENODEV:
                    raise
                return False
            return True

        return _do(act)

    def set_up(self, name: str, *, mtu: int | None = None) -> bool:
        """Switch a device on and set its MTU when one is given."""

        def act(ip: Any) -> bool:
            link = _need(ip, name)
            wanted: dict[str, Any] = {}
            if not link.up:
                wanted["state"] = "up"
            if mtu is not None and link.mtu != mtu:
                wanted["mtu"] = mtu
            if wanted:
                ip.link("set", index=link.index, **wanted)
            return bool(wanted)

        return _do(act)

    def set_master(self, name: str, bridge: str | None) -> bool:
        """Make a device a port of ``bridge``, or of none."""

        def act(ip: Any) -> bool:
            link = _need(ip, name)
            master = 0 if bridge is None else _need(ip, bridge).index
            if link.master == master:
                return False
            ip.link("set", index=link.index, master=master)
            return True

        return _do(act)

    def set_mac(self, name: str, mac: str) -> bool:
        """Give a device a hardware address."""

        def act(ip: Any) -> bool:
            link = _need(ip, name)
            if link.mac == mac.lower():
                return False
            ip.link("set", index=link.index, address=mac.lower())
            return True

        return _do(act)

    def ports(self, bridge: str) -> list[str]:
        """Return the names of a bridge's ports; none for a bridge that is not there."""

        def act(ip: Any) -> list[str]:
            found = _find(ip, bridge)
            if found is None:
                return []
            return [link.name for link in map(_link, ip.get_links()) if link.master == found.index]

        return _do(act)

    def addresses(self, name: str) -> list[Address]:
        """Return the IPv4 addresses of a device, the primary one first."""
        return _do(lambda ip: _addresses(ip, _need(ip, name)))

    def add_address(self, name: str, interface: str, *, scope: int = SCOPE_GLOBAL) -> bool:
        """Give a device an IPv4 address (``a.b.c.d/n``) with the broadcast address of its network."""

        def act(ip: Any) -> bool:
            link = _need(ip, name)
            wanted = ipaddress.IPv4Interface(interface)
            if any(a.interface == str(wanted) for a in _addresses(ip, link)):
                return False
            extra: dict[str, Any] = {}
            if wanted.network.prefixlen < 31:
                extra["broadcast"] = str(wanted.network.broadcast_address)
            try:
                ip.addr(
                    "add",
                    index=link.index,
                    address=str(wanted.ip),
                    prefixlen=wanted.network.prefixlen,
                    scope=scope,
                    **extra,
                )
            except _netlink_error() as error:
                if error.code != errno.EEXIST:
                    raise
                return False
            return True

        return _do(act)

    def remove_address(self, name: str, interface: str) -> bool:
        """Take an IPv4 address from a device; none there is fine."""

        def act(ip: Any) -> bool:
            link = _need(ip, name)
            gone = ipaddress.IPv4Interface(interface)
            try:
                ip.addr("del", index=link.index, address=str(gone.ip), prefixlen=gone.network.prefixlen)
            except _netlink_error() as error:
                if error.code not in (errno.EADDRNOTAVAIL, errno.ENODEV):
                    raise
                return False
            return True

        return _do(act)

    def move_addresses(self, source: str, target: str) -> list[str]:
        """Move the global IPv4 addresses of a device, and the routes that lead over it, to another one.

        For an uplink that becomes a port of a bridge: the machine stays reachable under its own address.
        Returns the moved addresses.
        """

        def act(ip: Any) -> list[str]:
            old, new = _need(ip, source), _need(ip, target)
            moved = [a.interface for a in _addresses(ip, old) if a.scope == SCOPE_GLOBAL]
            routes = _gateway_routes(ip, old.index)
            for interface in moved:
                held = ipaddress.IPv4Interface(interface)
                where = {"address": str(held.ip), "prefixlen": held.network.prefixlen}
                ip.addr("del", index=old.index, **where)
                if held.network.prefixlen < 31:
                    where["broadcast"] = str(held.network.broadcast_address)
                with suppress(_netlink_error()):
                    ip.addr("add", index=new.index, **where)
            for route in routes:
                with suppress(_netlink_error()):
                    ip.route("replace", oif=new.index, **route)
            return moved

        return _do(act)


def _do(act: Callable[[Any], T]) -> T:
    return in_native_thread(_with_socket, act)


def _with_socket(act: Callable[[Any], T]) -> T:
    # A slow import that only agents need.
    from pyroute2 import IPRoute

    try:
        with IPRoute() as ip:
            return act(ip)
    except _netlink_error() as error:
        raise LinkRefused(reason=str(error)) from error


def _netlink_error() -> type[Any]:
    from pyroute2.netlink.exceptions import NetlinkError

    found: type[Any] = NetlinkError
    return found


def _find(ip: Any, name: str) -> Link | None:
    try:
        found = list(ip.link("get", ifname=name))
    except _netlink_error() as error:
        if error.code in (errno.ENODEV, errno.ERANGE):
            return None
        raise
    return _link(found[0]) if found else None


def _need(ip: Any, name: str) -> Link:
    found = _find(ip, name)
    if found is None:
        raise LinkMissing(device=name)
    return found


def _link(message: Any) -> Link:
    info = message.get_attr("IFLA_LINKINFO")
    return Link(
        index=message["index"],
        name=message.get_attr("IFLA_IFNAME"),
        kind=(info.get_attr("IFLA_INFO_KIND") if info is not None else None) or "",
        up=bool(message["flags"] & _IFF_UP),
        mtu=message.get_attr("IFLA_MTU") or 0,
        mac=(message.get_attr("IFLA_ADDRESS") or "").lower(),
        master=message.get_attr("IFLA_MASTER") or 0,
        alias=message.get_attr("IFLA_IFALIAS") or "",
    )


def _addresses(ip: Any, link: Link) -> list[Address]:
    return [
        Address(
            device=link.name,
            interface=f"{m.get_attr('IFA_LOCAL') or m.get_attr('IFA_ADDRESS')}/{m['prefixlen']}",
            scope=m["scope"],
        )
        for m in ip.get_addr(index=link.index, family=2)
    ]


def _gateway_routes(ip: Any, index: int) -> list[dict[str, Any]]:
    """Return the IPv4 routes over a device that go through a gateway."""
    routes = []
    for message in ip.get_routes(family=2, oif=index):
        gateway = message.get_attr("RTA_GATEWAY")
        if gateway is None:
            continue
        destination = message.get_attr("RTA_DST") or "0.0.0.0"
        routes.append({"dst": f"{destination}/{message['dst_len']}", "gateway": gateway})
    return routes
