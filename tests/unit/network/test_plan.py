"""Plans and the texts made of them, compared with golden files."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from nova.errors.network import NetworkUnusable, TopologyUnsupported
from nova.network.options import NetworkOptions
from nova.network.plan import HostPlan, make_plan
from nova.objects.network import FixedIp, Network, NetworkState, Topology

GOLDEN = Path(__file__).parents[2] / "golden" / "network"

OPTIONS = NetworkOptions(networks_path="/var/lib/nova/networks", lease_socket="/run/nova/leases.sock")
PRIVATE = Network(
    id="net-1",
    label="private",
    cidr="10.0.0.0/24",
    gateway="10.0.0.1",
    dhcp_server="10.0.0.1",
    bridge="br100",
    mtu=1450,
)
OUTSIDE = Network(
    id="net-2",
    label="outside",
    cidr="192.0.2.0/25",
    gateway="192.0.2.126",
    dhcp_server="192.0.2.3",
    dhcp_start="192.0.2.10",
    dns=("192.0.2.2", "9.9.9.9"),
    bridge="br200",
    bridge_interface="eth1",
)
HELD = (
    FixedIp(address="10.0.0.12", network_id="net-1", mac="FA:16:3E:00:00:02", hostname="Web 2.example.org"),
    FixedIp(address="10.0.0.3", network_id="net-1", mac="fa:16:3e:00:00:01", hostname="web-1"),
    FixedIp(address="10.0.0.4", network_id="net-1", mac="fa:16:3e:00:00:01", hostname="second-address"),
    FixedIp(address="10.0.0.9", network_id="net-1", reserved=True),
    FixedIp(address="fd00::1", network_id="net-1", mac="fa:16:3e:00:00:03"),
    FixedIp(address="192.0.2.20", network_id="net-2", mac="fa:16:3e:00:00:04", hostname="\nevil,host="),
    FixedIp(address="192.0.2.21", network_id="net-2", mac="not a mac\n"),
    FixedIp(address="172.16.0.1", network_id="net-2", mac="fa:16:3e:00:00:05"),
)
CASES = {
    "one": (NetworkState(networks=(PRIVATE,), fixed_ips=HELD), OPTIONS),
    "two": (
        NetworkState(networks=(OUTSIDE, PRIVATE), fixed_ips=HELD),
        msgspec.structs.replace(
            OPTIONS,
            public_interface="eth0",
            routing_source_ip="203.0.113.5",
            dmz_cidr=("198.51.100.0/24",),
            metadata_host="198.51.100.7",
            dns_servers=("198.51.100.53",),
            default_mtu=1400,
            dhcp_domain="",
        ),
    ),
    "flat": (
        NetworkState(
            networks=(
                msgspec.structs.replace(OUTSIDE, topology=Topology.FLAT),
                msgspec.structs.replace(PRIVATE, topology=Topology.NONE),
            ),
            fixed_ips=HELD,
        ),
        OPTIONS,
    ),
}


def text_of(plan: HostPlan) -> str:
    parts = [f"# bridge\n{msgspec.json.encode(bridge).decode()}\n" for bridge in plan.bridges]
    for dhcp in plan.dhcp:
        parts += [
            f"# dnsmasq of {dhcp.network} on {dhcp.bridge}, {dhcp.server}\n{dhcp.configuration}",
            f"# hosts\n{dhcp.hosts}",
            f"# options\n{dhcp.options}",
        ]
    parts.append(f"# rules\n{plan.rules and plan.rules.body}\n")
    parts.append(f"# forwards {plan.forwards}, serves metadata {plan.serves_metadata}\n")
    return "\n".join(parts)


@pytest.mark.parametrize("case", CASES)
def test_plans_are_as_they_were(case):
    state, options = CASES[case]
    golden = GOLDEN / f"{case}.txt"
    text = text_of(make_plan(state, options, "host-1"))
    assert text == golden.read_text(), f"if this is meant, write the new text to {golden}"


def test_the_order_of_the_truth_does_not_matter():
    state, options = CASES["two"]
    turned = NetworkState(networks=state.networks[::-1], fixed_ips=state.fixed_ips)
    assert make_plan(turned, options, "h") == make_plan(state, options, "h")


def test_paper_networks_need_nothing():
    paper = msgspec.structs.replace(PRIVATE, topology=Topology.NONE)
    plan = make_plan(NetworkState(networks=(paper,), fixed_ips=HELD), OPTIONS, "h")
    assert (plan.bridges, plan.dhcp, plan.rules, plan.forwards, plan.serves_metadata) == (
        (),
        (),
        None,
        False,
        False,
    )
    assert plan.networks == {"net-1"}


def test_one_wrong_network_does_not_hold_up_the_others():
    wrong = msgspec.structs.replace(PRIVATE, id="bad", label="bad", gateway="10.9.0.1")
    vlan = msgspec.structs.replace(PRIVATE, id="vlan", label="vlan", topology=Topology.VLAN)
    evil = msgspec.structs.replace(PRIVATE, id="evil", label="evil", bridge="br0; rm -rf")
    plan = make_plan(NetworkState(networks=(wrong, vlan, evil, OUTSIDE)), OPTIONS, "h")
    assert {b.name for b in plan.bridges} == {"br200"}
    assert isinstance(plan.refused["bad"], NetworkUnusable)
    assert str(plan.refused["bad"]) == "Network bad cannot be made: 10.9.0.1 is not in 10.0.0.0/24"
    assert isinstance(plan.refused["vlan"], TopologyUnsupported)
    assert isinstance(plan.refused["evil"], NetworkUnusable)


def test_two_networks_may_share_a_bridge():
    second = msgspec.structs.replace(
        PRIVATE, id="net-3", cidr="10.1.0.0/24", gateway="10.1.0.1", dhcp_server="10.1.0.1", mtu=1400
    )
    (bridge,) = make_plan(NetworkState(networks=(PRIVATE, second)), OPTIONS, "h").bridges
    assert bridge.addresses == ("10.0.0.1/24", "10.1.0.1/24")
    assert bridge.networks == ("net-1", "net-3")
    assert bridge.mtu == 1400


def test_every_host_of_a_multi_host_network_is_the_router_of_its_guests():
    many = msgspec.structs.replace(PRIVATE, multi_host=True, dhcp_server="10.0.0.5")
    plan = make_plan(NetworkState(networks=(many,)), OPTIONS, "h")
    assert "option:router,10.0.0.5\n" in plan.dhcp[0].options
    assert plan.forwards
