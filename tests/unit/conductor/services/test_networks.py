from __future__ import annotations

import re
from typing import Any

import pytest

from nova.conductor.endpoints.host_reports import HostReportsEndpoint
from nova.conductor.endpoints.networks import NetworksEndpoint
from nova.conductor.world import World
from nova.context import RequestContext
from nova.db import fixed_ips, instances
from nova.errors.admin import NetworkConflict, NetworkInUse, NetworkInvalid, NetworkNotFound
from nova.errors.servers import InstanceNotFound
from nova.objects.host import ServiceBeat
from nova.objects.instance import Instance
from nova.objects.network import Network, Topology, Vif
from tests.unit.conductor.services.makers import instance, network

MAC = "fa:16:3e:00:00:01"


class Endpoint(NetworksEndpoint, HostReportsEndpoint):
    def __init__(self, world: World) -> None:
        self.world = world


@pytest.fixture
def nets(world: World) -> Endpoint:
    return Endpoint(world)


def guest_on(nets: Endpoint, net: Network, **values: Any) -> Instance:
    """Put an instance with an address into the database, as boot does."""
    made = instance(**values)
    want = fixed_ips.AddressWant(
        instance_id=made.id, vif_id=f"vif-{made.id[:8]}", mac=MAC, network_id=net.id, host=made.host
    )

    def work(tx: Any) -> Instance:
        (addresses,) = fixed_ips.allocate(tx, [want]).values()
        vif = Vif(id=want.vif_id, mac=MAC, network_id=net.id, label=net.label, addresses=addresses)
        stored = type(made)(**{f: getattr(made, f) for f in made.__struct_fields__} | {"vifs": (vif,)})
        instances.insert(tx, [stored])
        return stored

    return nets.world.db.run(work)


def user_of(guest: Instance, **more: Any) -> RequestContext:
    return RequestContext(request_id="r", project_id=guest.project_id, roles=("member",), **more)


class TestNetworks:
    def test_what_is_not_given_is_filled_in(self, nets: Endpoint, admin: RequestContext) -> None:
        made = nets.create_network(admin, network(cidr="10.1.2.0/24"))
        assert (made.gateway, made.dhcp_server, made.dhcp_start) == ("10.1.2.1", "10.1.2.1", "10.1.2.2")
        assert made.bridge == "br100" and made.host is None and len(made.id) == 36
        assert nets.show_network(admin, made.id) == made
        assert nets.world.network.calls == [(None, "networks_changed")]  # type: ignore[attr-defined]
        nothing = nets.create_network(
            admin, network(label="n", cidr="10.3.0.0/29", topology=Topology.NONE, gateway="10.3.0.6")
        )
        assert nothing.bridge is None and nothing.gateway == "10.3.0.6"

    @pytest.mark.parametrize(
        "values",
        [
            {"cidr": "10.0.0.1/24"},
            {"cidr": "10.0.0.0/31"},
            {"cidr": "fd00::/64"},
            {"cidr": "10.0.0.0/24", "gateway": "10.0.1.1"},
            {"cidr": "10.0.0.0/24", "gateway": "10.0.0.0"},
            {"cidr": "10.0.0.0/24", "gateway": "first"},
            {"cidr": "10.0.0.0/24", "dhcp_start": "10.0.0.255"},
            {"cidr": "10.0.0.0/24", "cidr_v6": "fd00::1/64"},
        ],
    )
    def test_what_cannot_be_is_refused(
        self, nets: Endpoint, admin: RequestContext, values: dict[str, str]
    ) -> None:
        with pytest.raises(NetworkInvalid):
            nets.create_network(admin, network(**values))

    def test_labels_and_ranges_are_taken_once(self, nets: Endpoint, admin: RequestContext) -> None:
        nets.create_network(admin, network())
        with pytest.raises(NetworkConflict, match="called private"):
            nets.create_network(admin, network(cidr="10.9.0.0/24"))
        with pytest.raises(NetworkConflict, match=r"overlaps 10\.0\.0\.0/24"):
            nets.create_network(admin, network(label="b", cidr="10.0.0.128/25"))

    def test_private_networks_are_their_project_s(
        self, nets: Endpoint, ctx: RequestContext, other: RequestContext, admin: RequestContext
    ) -> None:
        nets.create_network(admin, network(label="open"))
        own = nets.create_network(admin, network(label="own", cidr="10.2.0.0/24", project_id="p1"))
        assert [n.label for n in nets.list_networks(ctx)] == ["open", "own"]
        assert [n.label for n in nets.list_networks(other)] == ["open"]
        assert [n.label for n in nets.list_networks(admin)] == ["open", "own"]
        with pytest.raises(NetworkNotFound):
            nets.show_network(other, own.id)

    def test_a_network_in_use_stays(self, nets: Endpoint, admin: RequestContext) -> None:
        made = nets.create_network(admin, network())
        guest = guest_on(nets, made)
        assert guest.vifs[0].addresses == ("10.0.0.2",), "gateway and DHCP server are not given out"
        with pytest.raises(NetworkInUse):
            nets.delete_network(admin, made.id)
        nets.world.db.run(lambda tx: fixed_ips.release(tx, [guest.id]))
        nets.delete_network(admin, made.id)
        with pytest.raises(NetworkNotFound):
            nets.delete_network(admin, made.id)
        assert nets.world.db.read(fixed_ips.counts) == {}

    def test_the_first_that_asks_serves_a_network_nobody_serves(
        self, nets: Endpoint, admin: RequestContext
    ) -> None:
        made = nets.create_network(admin, network())
        state = nets.network_state(admin, "h1")
        assert [(n.id, n.host) for n in state.networks] == [(made.id, "h1")]
        assert nets.network_state(admin, "h2").networks == ()
        assert nets.network_state(admin, "h1") == state
        assert nets.show_network(admin, made.id).host == "h1"

    def test_a_living_nova_network_gets_new_networks(self, nets: Endpoint, admin: RequestContext) -> None:
        nets.heartbeat(admin, [ServiceBeat(host="h7", binary="nova-network", topic="network")])
        assert nets.create_network(admin, network()).host == "h7"

    def test_hosts_answer_their_own_guests_on_multi_host_networks(
        self, nets: Endpoint, admin: RequestContext
    ) -> None:
        made = nets.create_network(admin, network(multi_host=True))
        guest = guest_on(nets, made, host="h1")
        guest_on(nets, made, host="h2")
        state = nets.network_state(admin, "h1")
        assert [n.host for n in state.networks] == [None]
        assert [ip.instance_id for ip in state.fixed_ips] == [guest.id]

    def test_leases_are_noted(self, nets: Endpoint, admin: RequestContext) -> None:
        made = nets.create_network(admin, network())
        guest_on(nets, made, host="h1")

        def leased() -> list[bool]:
            return [ip.leased for ip in nets.network_state(admin, "h1").fixed_ips]

        nets.lease_changed(admin, "10.0.0.2", MAC.upper(), True, "h1")
        assert leased() == [True]
        nets.lease_changed(admin, "10.0.0.2", "fa:16:3e:99:99:99", False, "h1")
        assert leased() == [True], "another's word about an address changes nothing"
        nets.lease_changed(admin, "10.0.0.2", MAC, False, "h1")
        assert leased() == [False]


class TestMetadata:
    def test_guests_are_known_by_their_address(self, nets: Endpoint, admin: RequestContext) -> None:
        made = nets.create_network(admin, network())
        guest = guest_on(nets, made, security_groups=("default", "web"), user_data="dXNlcg==")
        found = nets.metadata_by_address(admin, "10.0.0.2")
        assert found is not None and found == nets.metadata_by_id(admin, guest.id)
        assert found.instance_id == guest.id and found.guest.vifs == guest.vifs
        assert found.security_groups == ("default", "web")
        assert re.fullmatch("i-[0-9a-f]{8}", found.ec2_instance_id)
        assert re.fullmatch("ami-[0-9a-f]{8}", found.ec2_image_id)
        assert found.ec2_image_id[-8:] != found.ec2_instance_id[-8:]
        assert found == nets.metadata_by_address(admin, "10.0.0.2"), "EC2 names never change"
        for stranger in ("10.0.0.3", "10.0.0.1", "nonsense"):
            assert nets.metadata_by_address(admin, stranger) is None

    def test_asking_again_writes_nothing(self, nets: Endpoint, admin: RequestContext) -> None:
        guest = guest_on(nets, nets.create_network(admin, network()))
        nets.metadata_by_id(admin, guest.id)
        before = nets.world.db.transactions
        nets.metadata_by_address(admin, "10.0.0.2")
        assert nets.world.db.transactions == before

    def test_a_password_is_told_once(self, nets: Endpoint, admin: RequestContext) -> None:
        guest = guest_on(nets, nets.create_network(admin, network()), image=None)
        assert nets.put_guest_password(admin, "10.0.0.2", "c2VjcmV0")
        assert nets.put_guest_password(admin, "10.0.0.2", "c2VjcmV0"), "the same message again"
        assert not nets.put_guest_password(admin, "10.0.0.2", "b3RoZXI=")
        assert not nets.put_guest_password(admin, "10.0.0.9", "b3RoZXI=")
        found = nets.metadata_by_id(admin, guest.id)
        assert found is not None and found.password == "c2VjcmV0" and found.ec2_image_id == ""

    def test_users_see_the_password_and_clear_it(self, nets: Endpoint, admin: RequestContext) -> None:
        guest = guest_on(nets, nets.create_network(admin, network()))
        owner = user_of(guest)
        assert nets.show_guest_password(owner, guest.id) == ""
        assert nets.put_guest_password(admin, "10.0.0.2", "c2VjcmV0")
        assert nets.show_guest_password(owner, guest.id) == "c2VjcmV0"
        clearing = user_of(guest, call_id="one")
        nets.clear_guest_password(clearing, guest.id)
        assert nets.show_guest_password(owner, guest.id) == ""
        assert nets.put_guest_password(admin, "10.0.0.2", "b3RoZXI=")
        nets.clear_guest_password(clearing, guest.id)
        assert nets.show_guest_password(owner, guest.id) == "b3RoZXI=", "a copy clears no other one"

    def test_others_neither_see_the_password_nor_clear_it(
        self, nets: Endpoint, admin: RequestContext
    ) -> None:
        guest = guest_on(nets, nets.create_network(admin, network()))
        assert nets.put_guest_password(admin, "10.0.0.2", "c2VjcmV0")
        stranger = RequestContext(request_id="r", project_id="other", roles=("member",))
        for ask in (nets.show_guest_password, nets.clear_guest_password):
            with pytest.raises(InstanceNotFound):
                ask(stranger, guest.id)
        assert nets.show_guest_password(admin, guest.id) == "c2VjcmV0"

    def test_a_guest_that_tells_nothing_may_still_tell_its_password(
        self, nets: Endpoint, admin: RequestContext
    ) -> None:
        guest_on(nets, nets.create_network(admin, network()))
        assert nets.put_guest_password(admin, "10.0.0.2", "")
        assert nets.put_guest_password(admin, "10.0.0.2", "c2VjcmV0")
        assert not nets.put_guest_password(admin, "10.0.0.2", "")
