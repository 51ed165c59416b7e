"""Security groups and anti-spoofing in force: real packets between namespaces that stand for guests.

A "host" namespace has the bridge, an address on it and the rules; each "guest" is a namespace whose cable
ends in a device with the name of a guest's tap.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from nova.objects.ids import VifId
from nova.objects.network import FilterRule, GuestFilter, Vif
from nova.privsep.nft import Nft
from nova.virt.libvirt.firewall import Firewall
from nova.virt.libvirt.store import Store
from tests.support.guests import a_vif, an_id
from tests.support.netns import Namespace, cable, namespace

HOST = "10.0.0.1"
PING = FilterRule(protocol="icmp", from_port=8, to_port=-1, cidrs=("0.0.0.0/0",))
SSH = FilterRule(protocol="tcp", from_port=22, to_port=22, cidrs=("10.0.0.0/16",))


class Guest:
    """A namespace behind a port of the bridge."""

    def __init__(self, number: int, net: Namespace) -> None:
        self.id = an_id(number)
        self.net = net
        self.vif: Vif = a_vif(number, id=VifId(f"{number:08x}-0000-4000-8000-000000000000"))
        self.address = self.vif.addresses[0]

    def plug(self, host: Namespace) -> None:
        cable(host, self.vif.device, self.net, "eth0")
        host.ip("link", "set", self.vif.device, "master", "br100")
        # Its own IPv6 address comes from the MAC it has when it goes up.
        self.net.ip("link", "set", "eth0", "down")
        self.net.ip("link", "set", "eth0", "address", self.vif.mac)
        self.net.ip("link", "set", "eth0", "up")
        self.net.ip("addr", "add", f"{self.address}/16", "dev", "eth0")

    def guarded(self, *rules: FilterRule) -> GuestFilter:
        return GuestFilter(instance_id=self.id, vifs=(self.vif,), rules=rules)


class Bench:
    """One host with two guests on it and one machine beyond the bridge's uplink."""

    def __init__(self, host: Namespace, guests: list[Guest], firewall: Firewall) -> None:
        self.host, self.firewall = host, firewall
        self.a, self.b, self.stranger = guests

    def apply(self, *filters: GuestFilter) -> None:
        self.host.inside(lambda: self.firewall.apply(filters))


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with ExitStack() as stack:
        host = stack.enter_context(namespace("gf"))
        host.ip("link", "add", "br100", "type", "bridge", "forward_delay", "0")
        host.ip("addr", "add", f"{HOST}/16", "dev", "br100")
        host.ip("link", "set", "br100", "up")
        guests = [Guest(n, stack.enter_context(namespace(f"gf{n}"))) for n in (1, 2, 3)]
        for guest in guests:
            guest.plug(host)
        store = Store(tmp_path_factory.mktemp("instances"))
        for guest in guests:
            store.create(guest.id)
        firewall = Firewall(store, Nft(), "host")
        host.inside(firewall.start)
        yield Bench(host, guests, firewall)


def pings(source: Namespace, address: str) -> bool:
    done = source.run("busybox", "ping", "-c", "1", "-W", "1", address, check=False)
    return bool(done.returncode == 0)


def connects(source: Namespace, target: Namespace, address: str, port: int) -> bool:
    """Tell whether a connection comes up and carries a word both ways."""
    listener = target.inside(lambda: socket.create_server((address, port)))
    listener.settimeout(1)

    def dial() -> socket.socket:
        return socket.create_connection((address, port), timeout=1)

    with listener:
        try:
            link = source.inside(dial)
            with link, listener.accept()[0] as other:
                link.sendall(b"there")
                other.settimeout(1)
                assert other.recv(9) == b"there"
                other.sendall(b"back")
                return link.recv(9) == b"back"
        except OSError:
            return False


def test_nothing_comes_in_that_no_group_allows(bench: Bench) -> None:
    a, b = bench.a, bench.b
    bench.apply(a.guarded(), b.guarded())
    for source in (b.net, bench.host, bench.stranger.net):
        assert not pings(source, a.address)
        assert not connects(source, a.net, a.address, 22)
    assert pings(bench.stranger.net, HOST), "who is no guest is not touched"


def test_answers_come_back_to_who_began(bench: Bench) -> None:
    a, b = bench.a, bench.b
    bench.apply(a.guarded(), b.guarded(PING, SSH))
    assert pings(a.net, HOST)
    assert pings(a.net, b.address) and connects(a.net, b.net, b.address, 22)
    assert connects(a.net, bench.stranger.net, bench.stranger.address, 80)
    assert not pings(b.net, a.address)


def test_a_changed_rule_is_in_force_at_once_and_for_that_guest_only(bench: Bench) -> None:
    a, b = bench.a, bench.b
    bench.apply(a.guarded(SSH), b.guarded())
    assert connects(b.net, a.net, a.address, 22) and connects(bench.host, a.net, a.address, 22)
    assert not connects(b.net, a.net, a.address, 23) and not connects(a.net, b.net, b.address, 22)
    bench.apply(a.guarded(FilterRule(protocol="tcp", from_port=22, to_port=22, cidrs=(f"{HOST}/32",))))
    assert not connects(b.net, a.net, a.address, 22) and connects(bench.host, a.net, a.address, 22)
    bench.apply(a.guarded())
    assert not connects(bench.host, a.net, a.address, 22)


def test_a_source_group_is_its_members_addresses(bench: Bench) -> None:
    a, b = bench.a, bench.b
    bench.apply(a.guarded(FilterRule(protocol="icmp", cidrs=(f"{b.address}/32",))))
    assert pings(b.net, a.address) and not pings(bench.stranger.net, a.address)


def test_a_guest_cannot_take_another_address(bench: Bench) -> None:
    a = bench.a
    bench.apply(a.guarded(PING), bench.b.guarded(PING))
    assert pings(a.net, HOST)
    a.net.ip("addr", "add", "10.0.0.77/16", "dev", "eth0")
    try:
        spoofed = a.net.run("busybox", "ping", "-c", "1", "-W", "1", "-I", "10.0.0.77", HOST, check=False)
        assert spoofed.returncode != 0
        bench.host.ip("neigh", "flush", "dev", "br100")
        assert not pings(bench.host, "10.0.0.77"), "it cannot even claim it by ARP"
    finally:
        a.net.ip("addr", "del", "10.0.0.77/16", "dev", "eth0")
    assert pings(bench.host, a.address)


def test_a_guest_cannot_take_another_mac(bench: Bench) -> None:
    a = bench.a
    bench.apply(a.guarded(PING))
    a.net.ip("link", "set", "eth0", "address", "fa:16:3e:99:99:99")
    try:
        assert not pings(a.net, HOST)
    finally:
        a.net.ip("link", "set", "eth0", "address", a.vif.mac)
    assert pings(a.net, HOST)


def _udp(source: Namespace, target: Namespace, ports: tuple[int, int], address: str) -> bool:
    """Tell whether a datagram arrives (to a broadcast address, too)."""

    def sender() -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
        made.bind(("0.0.0.0", ports[0]))
        return made

    def receiver() -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind(("0.0.0.0", ports[1]))
        made.settimeout(0.7)
        return made

    with target.inside(receiver) as hears, source.inside(sender) as says:
        says.sendto(b"x", (address, ports[1]))
        try:
            return hears.recv(9) == b"x"
        except TimeoutError:
            return False


def test_a_guest_asks_for_dhcp_but_never_answers_it(bench: Bench) -> None:
    a, b = bench.a, bench.b
    bench.apply(a.guarded(), b.guarded(FilterRule(protocol="udp", cidrs=("0.0.0.0/0",))))
    assert _udp(a.net, bench.host, (5000, 67), HOST), "the path itself works"
    assert not _udp(a.net, b.net, (67, 68), b.address), "no DHCP server in a guest"
    assert not _udp(bench.stranger.net, a.net, (67, 68), a.address), "answers from the network's server only"


def test_a_new_address_is_asked_for_without_one(bench: Bench) -> None:
    a = bench.a
    bench.apply(a.guarded())
    a.net.ip("-4", "addr", "flush", "dev", "eth0")
    try:
        assert _udp(a.net, bench.host, (68, 67), "255.255.255.255")
        assert not _udp(a.net, bench.host, (5000, 5001), "255.255.255.255"), "nothing else without an address"
    finally:
        a.net.ip("addr", "add", f"{a.address}/16", "dev", "eth0")


def test_broadcasts_do_not_get_round_the_groups(bench: Bench) -> None:
    a = bench.a
    bench.apply(a.guarded())
    assert not _udp(bench.stranger.net, a.net, (5000, 5001), "10.0.255.255")


def test_rules_hold_for_ipv6(bench: Bench) -> None:
    a, b = bench.a, bench.b
    bench.apply(a.guarded(), b.guarded())
    address = f"fe80::f816:3eff:fe00:{2:x}%eth0"
    ping = ("busybox", "ping", "-6", "-c", "1", "-W", "1", address)
    assert a.net.run(*ping, check=False).returncode != 0
    bench.apply(b.guarded(FilterRule(protocol="icmp", cidrs=("::/0",))))
    for _ in range(8):  # the address may still be tentative
        if a.net.run(*ping, check=False).returncode == 0:
            return
    raise AssertionError("an allowed ping over IPv6 does not arrive")


def test_a_restart_of_the_daemon_opens_nothing(bench: Bench, tmp_path: Path) -> None:
    a = bench.a
    store = Store(tmp_path)
    for guest in (a, bench.b):
        store.create(guest.id)
    first, second = Firewall(store, Nft(), "host"), Firewall(store, Nft(), "host")
    bench.host.inside(lambda: first.apply([a.guarded(SSH), bench.b.guarded()]))
    bench.host.inside(second.start)
    assert connects(bench.b.net, a.net, a.address, 22) and not pings(bench.b.net, a.address)
