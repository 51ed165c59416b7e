"""The packet rules of guests as an nftables table: pure.

Family ``bridge``, so that every rule sees the very port of a guest.

* ``prerouting``, by port the frame comes from: a guest uses its own MAC and addresses only (no spoofing of
  Ethernet, ARP, IPv4, IPv6), and plays neither DHCP server nor router.
* ``postrouting``, by port the frame goes to: answers to what the guest began, DHCP and neighbour discovery
  for it, and what its security groups allow.  Nothing else: also no other Ethernet protocols and no
  packets for addresses that are not the guest's.

Whether a packet belongs to a known connection is asked of connection tracking, which not every kernel has for
bridges.  A second table, family ``inet``, therefore marks the packets of known connections (bridged ones pass
there too while ``bridge-nf-call-iptables`` is on), and the bridge's rules look for the mark.
"""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Iterable, Sequence

from nova.objects.network import FilterRule, GuestFilter, Vif

TABLE = "nova-guests"
KNOWN_CONNECTION = 0x4000000
"""The one bit of the packet mark that is ours."""

_CIDRS_PER_RULE = 500
_V4, _V6 = 4, 6
_LAST_PORT, _LAST_ICMP = 65535, 255

MARKS = f"""\
	chain routed-in {{
		type filter hook prerouting priority mangle; policy accept;
		ct state established,related meta mark set meta mark or {KNOWN_CONNECTION:#x}
	}}
	chain own-out {{
		type filter hook output priority mangle; policy accept;
		ct state established,related meta mark set meta mark or {KNOWN_CONNECTION:#x}
	}}"""


def bridge_table(filters: Iterable[GuestFilter]) -> str:
    """Return the body of the ``bridge`` table for all guests of a host."""
    ordered = sorted(filters, key=lambda f: f.instance_id)
    lines = []
    for guarded in ordered:
        for name, rules in _chains(guarded).items():
            lines += _chain(name, rules)
    devices = [vif.device for guarded in ordered for vif in guarded.vifs]
    for hook, key, ports, way in _HOOKS:
        elements = ", ".join(_verdict(way, device) for device in devices)
        lines += [
            f"\tmap {ports} {{",
            "\t\ttype ifname : verdict",
            *([f"\t\telements = {{ {elements} }}"] if elements else []),
            "\t}",
            *_chain(
                hook,
                [f"type filter hook {hook} priority filter; policy accept;", f"{key} vmap @{ports}"],
            ),
        ]
    return "\n".join(lines)


def change(old: GuestFilter | None, new: GuestFilter | None) -> str:
    """Return the ``nft`` commands that put ``new`` in place of ``old`` in a table that has ``old``.

    One guest's rules cost the same however many guests a host has.
    """
    gone = {vif.device for vif in old.vifs} if old else set()
    coming = [vif.device for vif in new.vifs] if new else []
    chains, before = _chains(new) if new else {}, _chains(old) if old else {}
    lines = []
    for _, _, ports, _ in _HOOKS:
        lines += [f"delete element {_WHERE} {ports} {{ {_quoted(d)} }}" for d in sorted(gone)]
    # Empty first: a chain that another one still jumps to cannot be deleted.
    lines += [f"flush chain {_WHERE} {name}" for name in before]
    lines += [f"delete chain {_WHERE} {name}" for name in reversed(before) if name not in chains]
    for name, rules in chains.items():
        lines.append(f"add chain {_WHERE} {name}")
        lines += [f"add rule {_WHERE} {name} {rule}" for rule in rules]
    for _, _, ports, way in _HOOKS:
        lines += [f"add element {_WHERE} {ports} {{ {_verdict(way, device)} }}" for device in coming]
    return "\n".join(lines)


_WHERE = f"bridge {TABLE}"
_HOOKS = (("prerouting", "iifname", "sources", "from"), ("postrouting", "oifname", "targets", "to"))


def _chains(guarded: GuestFilter) -> dict[str, list[str]]:
    """Return a guest's chains by name, each after those it jumps to."""
    if not guarded.vifs:
        return {}
    groups = f"groups-{guarded.instance_id}"
    chains = {groups: _group_rules(guarded.rules)}
    for vif in sorted(guarded.vifs, key=lambda v: v.device):
        chains[f"from-{vif.device}"] = _from_guest(vif)
        chains[f"to-{vif.device}"] = _to_guest(vif, groups)
    return chains


def _chain(name: str, rules: Iterable[str]) -> list[str]:
    return [f"\tchain {name} {{", *(f"\t\t{rule}" for rule in rules), "\t}"]


def _verdict(way: str, device: str) -> str:
    return f"{_quoted(device)} : jump {way}-{device}"


def _quoted(device: str) -> str:
    return f'"{device}"'


def _from_guest(vif: Vif) -> list[str]:
    v4, v6 = addresses(vif, _V4), [*addresses(vif, _V6), link_local(vif.mac)]
    rules = [
        f"ether saddr != {vif.mac} drop",
        # Asking for an address: before there is one.
        "ether type ip ip saddr 0.0.0.0 ip daddr 255.255.255.255 udp sport 68 udp dport 67 accept",
        "ether type ip udp sport 67 drop",
        "ether type ip6 udp sport 547 drop",
        "ether type ip6 icmpv6 type { nd-router-advert, nd-redirect } drop",
    ]
    if v4:
        rules += [
            f"ether type arp arp saddr ether {vif.mac} arp saddr ip {_set([*v4, '0.0.0.0'])} accept",
            f"ether type ip ip saddr {_set(v4)} accept",
        ]
    rules += [
        "ether type ip6 ip6 saddr :: icmpv6 type "
        "{ nd-neighbor-solicit, nd-router-solicit, mld2-listener-report } accept",
        f"ether type ip6 ip6 saddr {_set(v6)} accept",
        "drop",
    ]
    return rules


def _to_guest(vif: Vif, groups: str) -> list[str]:
    v4, v6 = addresses(vif, _V4), [*addresses(vif, _V6), link_local(vif.mac)]
    server = vif.dhcp_server or vif.gateway
    rules = ["ether type arp accept"] if v4 else []
    rules += [
        f"ether type ip {f'ip saddr {server} ' if server else ''}udp sport 67 udp dport 68 accept",
        "ether type ip6 icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } accept",
        "ether type ip6 ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept",
        f"ether type ip ip daddr != {_set(v4)} drop" if v4 else "ether type ip drop",
        f"ether type ip6 ip6 daddr != {_set(v6)} drop",
        "ether type != { ip, ip6 } drop",
        f"meta mark & {KNOWN_CONNECTION:#x} == {KNOWN_CONNECTION:#x} accept",
        f"jump {groups}",
        "drop",
    ]
    return rules


def _group_rules(rules: Iterable[FilterRule]) -> list[str]:
    lines: list[str] = []
    for rule in rules:
        for version, family in ((_V4, "ip"), (_V6, "ip6")):
            ranges = _ranges(rule.cidrs, version)
            match = _protocol(rule, version)
            if match is None:
                continue
            for start in range(0, len(ranges), _CIDRS_PER_RULE):
                part = ranges[start : start + _CIDRS_PER_RULE]
                # "From anywhere" needs no address, but still its family.
                source = (
                    f"ether type {family}" if part == [_ANYWHERE[version]] else f"{family} saddr {_set(part)}"
                )
                lines.append(" ".join(f"{source} {match} accept".split()))
    return list(dict.fromkeys(lines))


_ANYWHERE = {_V4: "0.0.0.0/0", _V6: "::/0"}


def _ranges(cidrs: Iterable[str], version: int) -> list[str]:
    """Return the ranges of one family, overlaps joined: a set of nftables must not have any.

    What is no range allows nothing; it must not keep the other rules of the host from being renewed.
    """
    networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
    for cidr in cidrs:
        with contextlib.suppress(ValueError):
            networks.append(ipaddress.ip_network(cidr, strict=False))
    if version == _V4:
        v4 = [n for n in networks if isinstance(n, ipaddress.IPv4Network)]
        return [str(n) for n in ipaddress.collapse_addresses(v4)]
    v6 = [n for n in networks if isinstance(n, ipaddress.IPv6Network)]
    return [str(n) for n in ipaddress.collapse_addresses(v6)]


def _protocol(rule: FilterRule, version: int) -> str | None:
    """Return the match of protocol and ports; None when the rule says nothing for this family."""
    protocol = (rule.protocol or "").strip().lower()
    low, high = rule.from_port, rule.to_port
    if protocol in ("", "-1", "any", "all"):
        return ""
    if protocol in ("icmp", "icmpv6"):
        return _icmp(low, high, version)
    if protocol in ("tcp", "udp", "sctp"):
        if low is None or low < 0:
            return f"meta l4proto {protocol}"
        if high is None or high < 0 or high == low:
            high = low
        if not low <= high <= _LAST_PORT:
            return None
        return f"{protocol} dport {low}" + (f"-{high}" if high != low else "")
    if protocol.isdecimal() and int(protocol) < 256:
        return f"meta l4proto {int(protocol)}"
    return None


def _icmp(kind: int | None, code: int | None, version: int) -> str | None:
    if (kind or 0) > _LAST_ICMP or (code or 0) > _LAST_ICMP:
        return None
    name = "icmp" if version == _V4 else "icmpv6"
    if kind is None or kind < 0:
        return f"meta l4proto {'icmp' if version == _V4 else 'ipv6-icmp'}"
    return f"{name} type {kind}" + (f" {name} code {code}" if code is not None and code >= 0 else "")


def addresses(vif: Vif, version: int) -> list[str]:
    """Return an interface's own addresses of one family."""
    found = (ipaddress.ip_interface(address).ip for address in vif.addresses)
    return [str(address) for address in found if address.version == version]


def link_local(mac: str) -> str:
    """Return the IPv6 address that an interface gives itself (EUI-64)."""
    octets = [int(part, 16) for part in mac.split(":")]
    octets[0] ^= 2
    words = [*octets[:3], 0xFF, 0xFE, *octets[3:]]
    groups = [f"{words[i] << 8 | words[i + 1]:x}" for i in range(0, 8, 2)]
    return str(ipaddress.IPv6Address("fe80::" + ":".join(groups)))


def _set(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{{ {', '.join(items)} }}"
