"""DHCP servers that were lost sight of, in a namespace of their own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from nova.network.linux import dhcp_servers
from nova.network.linux.machine import Machine
from nova.network.options import NetworkOptions
from nova.network.plan import make_plan
from nova.objects.network import Network, NetworkState, Topology
from tests.support import netns

pytestmark = [
    pytest.mark.skipif(not netns.CAN_MAKE, reason="network namespaces need root"),
    pytest.mark.skipif(shutil.which("dnsmasq") is None, reason="dnsmasq is not installed"),
]


@pytest.fixture
def space():
    with netns.namespace("dhcp") as made:
        yield made


def network(name: str) -> Network:
    return Network(
        id=name, label=name, cidr="10.0.0.0/24", gateway="10.0.0.1", bridge="br100",
        topology=Topology.FLAT_DHCP,
    )  # fmt: skip


def serve(space: netns.Namespace, home: Path, *names: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """Bring the namespace to these networks, as a nova-network that has just started."""
    chosen = NetworkOptions(
        networks_path=str(home / "networks"), lease_socket=str(home / "s"), dnsmasq_user="root"
    )

    def act() -> tuple[tuple[str, ...], dict[str, str]]:
        wanted = make_plan(NetworkState(networks=tuple(network(n) for n in names)), chosen, "h1")
        applied = Machine(chosen, "h1").apply(wanted, look=True)
        return applied.changes, {name: str(error) for name, error in applied.failed.items()}

    return space.inside(act)


def servers(space: netns.Namespace) -> list[str]:
    """Name the configurations that are served in the namespace."""
    return sorted(str(server.configuration) for server in space.inside(dhcp_servers.running))


def test_a_server_whose_pid_file_was_lost_gives_way_to_its_successor(space, tmp_path):
    serve(space, tmp_path, "one")
    (tmp_path / "networks/one/pid").unlink()
    changes, failed = serve(space, tmp_path, "one")
    assert failed == {}
    assert "DHCP service on br100 restarted" in changes
    assert servers(space) == [str(tmp_path / "networks/one/dnsmasq.conf")]


def test_a_server_of_a_network_that_nobody_remembers_is_ended(space, tmp_path):
    serve(space, tmp_path, "old")
    shutil.rmtree(tmp_path / "networks")
    changes, failed = serve(space, tmp_path, "new")
    assert failed == {}
    assert "DHCP service old ended" in changes
    assert servers(space) == [str(tmp_path / "networks/new/dnsmasq.conf")]


def test_a_server_of_somebody_else_is_named_and_left_alone(space, tmp_path):
    serve(space, tmp_path / "theirs", "one")
    theirs = (tmp_path / "theirs/networks/one/pid").read_text().strip()
    _, failed = serve(space, tmp_path / "ours", "two")
    assert f"10.0.0.1 port 53 on br100 is held by dnsmasq (pid {theirs}" in failed["two"]
    assert servers(space) == [str(tmp_path / "theirs/networks/one/dnsmasq.conf")]
