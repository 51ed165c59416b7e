import pytest

from nova.errors.host import LinkMissing
from nova.privsep.links import SCOPE_LINK, Links
from tests.support import netns

pytestmark = pytest.mark.skipif(not netns.CAN_MAKE, reason="network namespaces need root")


@pytest.fixture
def space():
    with netns.namespace("links") as made:
        yield made


def test_bridge_is_made_once_and_taken_away(space):
    def act():
        links = Links()
        assert links.find("brx") is None
        assert links.create_bridge("brx", alias="ours:1")
        assert not links.create_bridge("brx", alias="ours:1")
        assert links.set_up("brx", mtu=1400)
        assert not links.set_up("brx", mtu=1400)
        found = links.find("brx")
        assert (found.kind, found.up, found.mtu, found.alias) == ("bridge", True, 1400, "ours:1")
        assert {link.name for link in links.all()} == {"lo", "brx"}
        assert links.delete("brx")
        assert not links.delete("brx")

    space.inside(act)
    assert "brx" not in space.ip("link")


def test_addresses(space):
    def act():
        links = Links()
        links.create_bridge("brx")
        assert links.add_address("brx", "10.9.0.1/24")
        assert not links.add_address("brx", "10.9.0.1/24")
        assert links.add_address("lo", "169.254.169.254/32", scope=SCOPE_LINK)
        assert not links.add_address("lo", "169.254.169.254/32", scope=SCOPE_LINK)
        assert [a.interface for a in links.addresses("brx")] == ["10.9.0.1/24"]
        assert ("169.254.169.254/32", SCOPE_LINK) in [(a.interface, a.scope) for a in links.addresses("lo")]
        assert links.remove_address("brx", "10.9.0.1/24")
        assert not links.remove_address("brx", "10.9.0.1/24")
        assert links.addresses("brx") == []

    space.inside(act)


def test_ports_and_hardware_addresses(space):
    def act():
        links = Links()
        links.create_bridge("brx")
        assert links.create_veth("va", "vb")
        assert not links.create_veth("va", "vb")
        assert links.ports("brx") == []
        assert links.set_master("va", "brx")
        assert not links.set_master("va", "brx")
        assert links.ports("brx") == ["va"]
        assert links.set_mac("va", "FA:16:3E:00:00:01")
        assert not links.set_mac("va", "fa:16:3e:00:00:01")
        assert links.find("va").mac == "fa:16:3e:00:00:01"
        assert links.set_master("va", None)
        assert links.ports("brx") == []
        assert links.ports("nothing") == []

    space.inside(act)


def test_an_uplink_keeps_its_addresses_and_routes_when_it_moves(space):
    space.ip("link", "add", "up0", "type", "veth", "peer", "name", "up1")
    for device in ("up0", "up1"):
        space.ip("link", "set", device, "up")
    space.ip("addr", "add", "192.0.2.7/24", "dev", "up0")
    space.ip("route", "add", "default", "via", "192.0.2.1")
    space.ip("route", "add", "198.51.100.0/24", "via", "192.0.2.2")

    def act():
        links = Links()
        links.create_bridge("brx")
        links.set_up("brx")
        links.set_master("up0", "brx")
        assert links.move_addresses("up0", "brx") == ["192.0.2.7/24"]
        assert links.move_addresses("up0", "brx") == []

    space.inside(act)
    routes = space.ip("route")
    assert "default via 192.0.2.1 dev brx" in routes
    assert "198.51.100.0/24 via 192.0.2.2 dev brx" in routes


def test_missing_device_is_told_by_name(space):
    def act():
        with pytest.raises(LinkMissing) as caught:
            Links().set_up("nope")
        return str(caught.value)

    assert space.inside(act) == "There is no network device nope."
