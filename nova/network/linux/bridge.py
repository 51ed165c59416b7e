"""Bridges with our addresses, and the machine's uplink as a port where the operator wants that."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable

from nova.network.topology.base import BridgePlan
from nova.objects.ids import HostName
from nova.privsep.links import SCOPE_GLOBAL, Links

ALIAS = "nova-network"
"""Mark on bridges that we made ourselves and may take away again."""


class Bridges:
    """The bridges of this host."""

    def __init__(self, links: Links, host: HostName) -> None:
        self._links = links
        self._host = host

    def apply(self, plan: BridgePlan) -> list[str]:
        """Make a bridge and what belongs to it; return what had to be changed, in words."""
        links, name = self._links, plan.name
        done: list[str] = []
        if links.create_bridge(name, alias=ALIAS):
            done.append(f"bridge {name} made")
        if links.set_up(name, mtu=plan.mtu):
            done.append(f"bridge {name} switched on")
        if plan.uplink:
            done += self._join_uplink(name, plan.uplink)
        elif plan.addresses and links.set_mac(name, stable_mac(self._host, name)):
            done.append(f"bridge {name} got its MAC")
        done += self._own_addresses(plan)
        return done

    def remove_unplanned(self, planned: Iterable[str]) -> list[str]:
        """Take away bridges that we made, that no network needs and that no guest hangs on."""
        wanted, done = set(planned), []
        for link in self._links.all():
            if link.kind != "bridge" or link.alias != ALIAS or link.name in wanted:
                continue
            if not self._links.ports(link.name) and self._links.delete(link.name):
                done.append(f"bridge {link.name} removed")
        return done

    def index(self, name: str) -> int:
        """Return the number the kernel gave a bridge (a new one for each life); 0 when it is not there."""
        found = self._links.find(name)
        return found.index if found is not None else 0

    def _own_addresses(self, plan: BridgePlan) -> list[str]:
        links, name = self._links, plan.name
        done: list[str] = []
        if not plan.addresses:
            return done
        ranges = [ipaddress.IPv4Network(text) for text in plan.ranges]
        for held in links.addresses(name):
            inside = any(ipaddress.IPv4Interface(held.interface).ip in each for each in ranges)
            stale = inside and held.scope == SCOPE_GLOBAL and held.interface not in plan.addresses
            if stale and links.remove_address(name, held.interface):
                done.append(f"address {held.interface} taken off {name}")
        added = (address for address in plan.addresses if links.add_address(name, address))
        return done + [f"address {address} put on {name}" for address in added]

    def _join_uplink(self, name: str, uplink: str) -> list[str]:
        links = self._links
        found = links.find(uplink)
        if found is None:
            return [f"device {uplink} is missing: {name} stays without a way out"]
        done = []
        # A bridge otherwise takes the lowest MAC of its ports, which changes as guests come and go.
        if links.set_mac(name, found.mac):
            done.append(f"bridge {name} took the MAC of {uplink}")
        if links.set_master(uplink, name):
            done.append(f"{uplink} joined {name}")
        links.set_up(uplink)
        done += [
            f"address {moved} moved from {uplink} to {name}" for moved in links.move_addresses(uplink, name)
        ]
        return done


def stable_mac(host: HostName, bridge: str) -> str:
    """Return the MAC of a bridge of ours: always the same, and another one on each host.

    By itself a bridge takes the lowest MAC of its ports: guests would lose their router whenever one comes or
    goes.
    """
    octets = hashlib.sha256(f"{host}/{bridge}".encode()).digest()[:5]
    return ":".join(f"{octet:02x}" for octet in (0x02, *octets))
