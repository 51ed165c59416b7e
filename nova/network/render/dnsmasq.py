"""dnsmasq's files (the formats are those of its manual page, 2.90).

Only machines that the truth knows are answered: a static range, and silence for everybody else, so that
several servers may share one wire.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from nova.network.options import METADATA_ADDRESS, NetworkOptions
from nova.network.topology.base import Shape
from nova.objects.network import FixedIp, Network

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_MAX_LABEL = 63


def configuration(network: Network, shape: Shape, chosen: NetworkOptions) -> str:
    """Return what does not change while guests come and go; a change needs a restart."""
    lines = [
        # Several of us share a machine: take our own address and no other.
        "bind-interfaces",
        "except-interface=lo",
        f"listen-address={shape.server}",
        # The truth knows everybody by MAC; clones of one image may all send the same client id.
        "dhcp-ignore-clid",
        "dhcp-ignore=tag:!known",
        # A lease we no longer remember is still good for its owner.
        "dhcp-authoritative",
        "no-ping",
        "leasefile-ro",
        f"dhcp-range={dhcp_start(network, shape)},static,{shape.range.netmask},{chosen.dhcp_lease_time}s",
        f"dhcp-lease-max={min(shape.range.num_addresses, 65536)}",
        "no-hosts",
        "domain-needed",
        "bogus-priv",
    ]
    if chosen.dhcp_domain:
        lines += [f"domain={chosen.dhcp_domain}", f"local=/{chosen.dhcp_domain}/", "expand-hosts"]
    servers = network.dns or chosen.dns_servers
    if servers:
        lines += ["no-resolv", "strict-order", *(f"server={server}" for server in servers)]
    if chosen.dnsmasq_config_file:
        lines.append(f"conf-file={chosen.dnsmasq_config_file}")
    return "\n".join(lines) + "\n"


def hosts(guests: Iterable[FixedIp]) -> str:
    """Return the hosts file: MAC, address, name; one line a MAC, its first address."""
    lines: dict[str, str] = {}
    for fixed in guests:
        if fixed.mac and fixed.mac not in lines:
            name = host_label(fixed.hostname)
            lines[fixed.mac] = ",".join((fixed.mac, fixed.address, *((name,) if name else ()))) + "\n"
    return "".join(lines.values())


def pairs(text: str) -> frozenset[tuple[str, str]]:
    """Read MAC and address of everybody back from a hosts file."""
    words = (line.split(",") for line in text.splitlines())
    return frozenset((w[0], w[1]) for w in words if len(w) >= 2)


def options(network: Network, shape: Shape, chosen: NetworkOptions) -> str:
    """Return the options file: router, MTU, and the way to the metadata when the router is not us."""
    lines = [f"option:router,{shape.router}" if shape.router else "option:router"]
    mtu = network.mtu or chosen.default_mtu
    if mtu:
        lines.append(f"option:mtu,{mtu}")
    if shape.router and shape.router != shape.server:
        # A client that gets this option ignores the router option (RFC 3442): say the default route again.
        routes = f"{METADATA_ADDRESS}/32,{shape.server},0.0.0.0/0,{shape.router}"
        lines.append(f"option:classless-static-route,{routes}")
    return "\n".join(lines) + "\n"


def dhcp_start(network: Network, shape: Shape) -> str:
    """Return where the range begins: as told, else the first address after ours."""
    if network.dhcp_start:
        return str(ipaddress.IPv4Address(network.dhcp_start))
    following = shape.server + 1
    return str(following if following in shape.range else shape.server)


def host_label(hostname: str | None) -> str | None:
    """Return a name that DNS and dnsmasq's files can bear, made from any text; none when nothing is left.

    Too long names keep their first two and last sixty characters.
    """
    name = re.sub(r"[^a-z0-9-]+", "-", (hostname or "").split(".")[0].lower()).strip("-")
    if len(name) > _MAX_LABEL:
        name = f"{name[:2]}-{name[-60:]}".strip("-")
    return name if _LABEL.fullmatch(name) else None
