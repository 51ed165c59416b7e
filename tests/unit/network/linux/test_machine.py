"""Bridges, addresses and rules in a namespace of their own."""

from __future__ import annotations

import pytest

from nova.network.linux.bridge import Bridges, stable_mac
from nova.network.linux.machine import Machine
from nova.network.options import NetworkOptions
from nova.network.plan import make_plan
from nova.network.topology.base import BridgePlan
from nova.objects.network import FixedIp, Network, NetworkState, Topology
from nova.privsep.links import Links
from tests.support import netns

pytestmark = pytest.mark.skipif(not netns.CAN_MAKE, reason="network namespaces need root")


@pytest.fixture
def space():
    with netns.namespace("mach") as made:
        yield made


def plan(**more):
    told = {"name": "brt", "networks": ("n",), "addresses": ("10.0.0.1/24",), "ranges": ("10.0.0.0/24",)}
    return BridgePlan(**told | more)


def test_a_bridge_is_made_kept_and_follows_its_plan(space):
    def act():
        bridges = Bridges(Links(), "h1")
        assert bridges.apply(plan())
        assert bridges.apply(plan()) == []
        space.ip("addr", "add", "172.20.0.1/16", "dev", "brt")
        assert bridges.apply(plan(addresses=("10.0.0.2/24",))) == [
            "address 10.0.0.1/24 taken off brt",
            "address 10.0.0.2/24 put on brt",
        ]

    space.inside(act)
    shown = space.ip("addr", "show", "dev", "brt")
    # addresses of other ranges are somebody else's
    assert "172.20.0.1/16" in shown and "10.0.0.2/24" in shown
    assert stable_mac("h1", "brt") in shown


def test_the_router_keeps_its_hardware_address_when_guests_come(space):
    space.inside(lambda: Bridges(Links(), "h1").apply(plan()))
    for number in range(4):
        space.ip("link", "add", f"t{number}", "type", "veth", "peer", "name", f"g{number}")
        space.ip("link", "set", f"t{number}", "address", f"02:00:00:00:00:0{number}")
        space.ip("link", "set", f"t{number}", "master", "brt")
    assert stable_mac("h1", "brt") in space.ip("link", "show", "brt")
    assert stable_mac("h1", "brt") != stable_mac("h2", "brt")


def test_an_uplink_joins_and_its_absence_is_told(space):
    def act():
        bridges = Bridges(Links(), "h1")
        assert "device up0 is missing: brt stays without a way out" in bridges.apply(plan(uplink="up0"))
        space.ip("link", "add", "up0", "address", "02:00:00:00:00:77", "type", "veth", "peer", "name", "up1")
        space.ip("link", "set", "up0", "up")
        space.ip("link", "set", "up1", "up")
        space.ip("addr", "add", "192.0.2.7/24", "dev", "up0")
        space.ip("route", "add", "default", "via", "192.0.2.1")
        assert bridges.apply(plan(uplink="up0"))
        assert bridges.apply(plan(uplink="up0")) == []

    space.inside(act)
    shown = space.ip("addr", "show", "dev", "brt")
    assert "192.0.2.7/24" in shown and "10.0.0.1/24" in shown and "02:00:00:00:00:77" in shown
    assert "default via 192.0.2.1 dev brt" in space.ip("route")


def test_only_our_empty_bridges_are_taken_away(space):
    space.ip("link", "add", "foreign", "type", "bridge")

    def act():
        bridges = Bridges(Links(), "h1")
        bridges.apply(plan())
        bridges.apply(plan(name="brfull"))
        space.ip("link", "add", "t0", "type", "veth", "peer", "name", "g0")
        space.ip("link", "set", "t0", "master", "brfull")
        assert bridges.remove_unplanned(["kept"]) == ["bridge brt removed"]

    space.inside(act)
    assert "brfull" in space.ip("link") and "foreign" in space.ip("link")


NO_DHCP = Network(id="n", label="n", cidr="10.0.0.0/24", gateway="10.0.0.1", bridge="brt", enable_dhcp=False)


def options(tmp_path, **more):
    return NetworkOptions(networks_path=str(tmp_path / "n"), lease_socket=str(tmp_path / "s"), **more)


def test_nothing_wanted_costs_nothing(space, tmp_path):
    chosen = options(tmp_path, nft_program="/no/such/nft", dnsmasq_program="/no/such/dnsmasq")
    paper = Network(id="p", label="p", cidr="10.0.0.0/24", topology=Topology.NONE)

    def act():
        machine = Machine(chosen, "h1")
        state = NetworkState(networks=(paper,))
        return machine.apply(make_plan(state, chosen, "h1"), look=True)

    applied = space.inside(act)
    assert (applied.changes, applied.failed) == ((), {})
    assert not (tmp_path / "n").exists()


def test_a_missing_program_is_told_and_the_next_time_looks_again(space, tmp_path):
    # a new namespace takes the setting of the machine it is on
    space.run("sh", "-c", "echo 0 > /proc/sys/net/ipv4/ip_forward")
    broken = options(tmp_path, nft_program="/no/such/nft")

    def act():
        machine = Machine(broken, "h1")
        wanted = make_plan(NetworkState(networks=(NO_DHCP,)), broken, "h1")
        first = machine.apply(wanted, look=False)
        assert "nft cannot be run" in str(first.failed["n"])
        second = machine.apply(wanted, look=False)
        assert "nft cannot be run" in str(second.failed["n"])

    space.inside(act)
    # without rules the machine must not become a router
    assert space.run("cat", "/proc/sys/net/ipv4/ip_forward").stdout.strip() == "0"


def test_rules_of_guests_that_come_and_go(space, tmp_path):
    chosen = options(tmp_path)

    def state(*numbers):
        held = tuple(
            FixedIp(address=f"10.0.0.{n}", network_id="n", mac=f"02:00:00:00:00:{n:02x}") for n in numbers
        )
        return make_plan(NetworkState(networks=(NO_DHCP,), fixed_ips=held), chosen, "h1")

    def act():
        machine = Machine(chosen, "h1")
        assert machine.apply(state(5), look=True).changes
        assert machine.apply(state(5), look=True).changes == ()
        assert machine.apply(state(5, 6), look=False).changes == (
            "guests known to the packet rules nova-network changed",
        )
        assert machine.apply(state(5, 6), look=True).changes == ()
        space.run("nft", "flush", "chain", "ip", "nova-network", "postrouting")
        assert machine.apply(state(5, 6), look=False).changes == ()
        assert machine.apply(state(5, 6), look=True).changes == ("packet rules nova-network were put back",)
        # somebody took the whole table: the short way fails, the next time looks
        space.run("nft", "delete", "table", "ip", "nova-network")
        assert machine.apply(state(5), look=False).failed
        assert machine.apply(state(5), look=False).failed == {}
        assert machine.apply(state(5, 6), look=False).failed == {}
        # another life of the agent finds all as it should be but for what it cannot know
        again = Machine(chosen, "h1").apply(state(5, 6), look=True)
        assert again.changes == ("packet rules nova-network put into force",)

    space.inside(act)
    rules = space.run("nft", "list", "ruleset").stdout
    assert "02:00:00:00:00:06 . 10.0.0.6" in rules and "masquerade" in rules
    assert space.run("cat", "/proc/sys/net/ipv4/ip_forward").stdout.strip() == "1"
