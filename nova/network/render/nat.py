"""The body of our nftables table: translation outwards, the door to the metadata, checks of sources.

::

    raw        a guest's packet with an address that is not of its network ends here,
               and so does a question for metadata from nobody the truth knows
    crowd      one guest has a bounded number of connections to the metadata service
    prerouting 169.254.169.254:80 becomes the metadata service
    postrouting guests keep their address among themselves, towards the metadata and the DMZ; else translated
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from nova.network.options import METADATA_ADDRESS, NetworkOptions
from nova.network.topology.base import Zone

METADATA_PORT = 80
"""What guests connect to."""


GUESTS = "guests"
"""The set of bridge, MAC and address of those who may ask for metadata."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Our table; the set of guests apart, because it changes with each boot and can be changed alone."""

    rest: str
    guests: tuple[str, ...]

    @property
    def body(self) -> str:
        """What stands between the table's braces."""
        return "\n".join((_set(GUESTS, "ifname . ether_addr . ipv4_addr", self.guests), self.rest))


def table(zones: Sequence[Zone], options: NetworkOptions) -> Table:
    """Return our table (family ``ip``)."""
    parts = [
        _set("fixed", "ipv4_addr", sorted({zone.range for zone in zones}), ranges=True),
        _set("dmz", "ipv4_addr", sorted(options.dmz_cidr), ranges=True),
        "\tset talks {\n\t\ttype ipv4_addr\n\t\tsize 65535\n\t\tflags dynamic\n\t}",
        _chain("raw", "filter hook prerouting priority raw", _checks(zones, options)),
        _chain("crowd", "filter hook prerouting priority mangle", _crowd_control(zones, options)),
        _chain("prerouting", "nat hook prerouting priority dstnat", _redirects(zones, options)),
        _chain("postrouting", "nat hook postrouting priority srcnat", _translations(zones, options)),
    ]
    pairs = sorted({(zone.bridge, mac, ip) for zone in zones for mac, ip in zone.pairs})
    guests = tuple(f'"{bridge}" . {mac} . {ip}' for bridge, mac, ip in pairs)
    return Table(rest="\n".join(parts), guests=guests)


def _checks(zones: Sequence[Zone], options: NetworkOptions) -> list[str]:
    rules = []
    ranges: dict[str, list[str]] = {}
    for zone in zones:
        if zone.checks_sources:
            ranges.setdefault(zone.bridge, []).append(zone.range)
    for bridge, allowed in ranges.items():
        # A machine that has no address yet speaks DHCP from 0.0.0.0.
        sources = ", ".join(["0.0.0.0", *sorted(allowed)])
        rules.append(f'iifname "{bridge}" ip saddr != {{ {sources} }} drop')
    doors = _quoted(zone.bridge for zone in zones if zone.serves_metadata)
    if doors:
        stranger = f"iifname . ether saddr . ip saddr != @{GUESTS} drop"
        rules.append(f"iifname {doors} ip daddr {METADATA_ADDRESS} {stranger}")
        port = options.metadata_port
        rules.append(f"iifname {doors} fib daddr type local tcp dport {port} {stranger}")
    return rules


def _crowd_control(zones: Sequence[Zone], options: NetworkOptions) -> list[str]:
    """Bound the connections of each guest: idle ones cost the service too."""
    doors = _quoted(zone.bridge for zone in zones if zone.serves_metadata)
    if not doors:
        return []
    most = options.metadata_connections
    asked = f"iifname {doors} ip daddr {METADATA_ADDRESS} tcp dport {METADATA_PORT} ct state new"
    return [f"{asked} add @talks {{ ip saddr ct count over {most} }} drop"]


def _redirects(zones: Sequence[Zone], options: NetworkOptions) -> list[str]:
    doors = _quoted(zone.bridge for zone in zones if zone.serves_metadata)
    if not doors:
        return []
    asked = f"iifname {doors} ip daddr {METADATA_ADDRESS} tcp dport {METADATA_PORT}"
    if options.metadata_host is None:
        return [f"{asked} redirect to :{options.metadata_port}"]
    return [f"{asked} dnat to {options.metadata_host}:{options.metadata_port}"]


def _translations(zones: Sequence[Zone], options: NetworkOptions) -> list[str]:
    routed = sorted({zone.range for zone in zones if zone.routes})
    if not routed:
        return []
    rules = [f"ip saddr != {{ {', '.join(routed)} }} return"]
    rules += ["ip daddr @fixed return", "ip daddr @dmz return"]
    if options.metadata_host is not None:
        rules.append(f"ip daddr {options.metadata_host} tcp dport {options.metadata_port} return")
    out = f'oifname "{options.public_interface}" ' if options.public_interface else ""
    # Multicast and broadcast stay what they are.
    rules.append("ip daddr { 224.0.0.0/4, 255.255.255.255 } return")
    action = f"snat to {options.routing_source_ip}" if options.routing_source_ip else "masquerade"
    return [*rules, f"{out}{action}"]


def _quoted(names: Iterable[str]) -> str:
    unique = sorted(set(names))
    return "{ " + ", ".join(f'"{name}"' for name in unique) + " }" if unique else ""


def _set(name: str, kind: str, elements: Sequence[str], ranges: bool = False) -> str:
    lines = [f"\tset {name} {{", f"\t\ttype {kind}"]
    if ranges:
        lines += ["\t\tflags interval", "\t\tauto-merge"]
    if elements:
        lines.append("\t\telements = {")
        lines += [f"\t\t\t{element}," for element in elements]
        lines.append("\t\t}")
    return "\n".join([*lines, "\t}"])


def _chain(name: str, hook: str, rules: Iterable[str]) -> str:
    head = [f"\tchain {name} {{", f"\t\ttype {hook}; policy accept;"]
    return "\n".join([*head, *(f"\t\t{rule}" for rule in rules), "\t}"])
