"""Networks and addresses: never twice, in few statements, all of them usable."""

from __future__ import annotations

import msgspec
import pytest

from nova import ids
from nova.db import fixed_ips, networks
from nova.db.engine import Database
from nova.db.fixed_ips import AddressWant
from nova.errors import NotFound
from nova.errors.servers import FixedIpInUse, FixedIpInvalid, NoMoreAddresses
from nova.objects.network import Network
from tests.contract.db.makers import network


def wish(**values: object) -> AddressWant:
    made = {
        "instance_id": ids.new_uuid(),
        "vif_id": ids.new_uuid(),
        "mac": ids.new_mac(),
        "hostname": "web",
        "network_id": "",
    }
    return AddressWant(**(made | values))  # type: ignore[arg-type]


@pytest.fixture
def net(db: Database) -> Network:
    made = network(cidr="10.0.0.0/28", gateway="10.0.0.1", dhcp_server="10.0.0.2")
    with db.tx() as tx:
        networks.insert(tx, made)
    return made


def take(db: Database, net: Network, *wishes: AddressWant) -> list[str]:
    wants = [msgspec.structs.replace(one, network_id=net.id) for one in wishes]
    given = db.run(lambda tx: fixed_ips.allocate(tx, wants))
    return [given[one.vif_id][0] for one in wants]


def test_networks_are_kept(db: Database) -> None:
    mine = network(label="b", project_id="p1", dns=("9.9.9.9",))
    everyones = network(label="a", host="h1")
    theirs = network(label="c", project_id="p2", multi_host=True)
    for one in (mine, everyones, theirs):
        db.run(lambda tx, one=one: networks.insert(tx, one))
    assert db.read(networks.all_networks) == [everyones, mine, theirs]
    assert db.read(lambda tx: networks.usable_by(tx, "p1")) == [everyones, mine]
    assert db.read(lambda tx: networks.get_many(tx, [mine.id, ids.new_uuid()])) == {mine.id: mine}
    assert db.read(lambda tx: networks.served_by(tx, "h2")) == [mine, theirs]
    assert db.run(lambda tx: networks.update(tx, network(id=mine.id, label="z")))
    shown = db.read(lambda tx: networks.get(tx, mine.id))
    assert shown is not None and shown.label == "z"
    assert db.run(lambda tx: networks.delete(tx, mine.id))
    assert db.read(lambda tx: networks.get(tx, mine.id)) is None


def test_every_address_is_given_and_none_twice(db: Database, net: Network) -> None:
    first = take(db, net, *[wish() for _ in range(6)])
    rest = [take(db, net, wish())[0] for _ in range(6)]
    assert sorted(first + rest) == sorted(f"10.0.0.{n}" for n in range(3, 15))
    with pytest.raises(NoMoreAddresses):
        take(db, net, wish())
    assert db.read(fixed_ips.counts) == {net.id: 12}


def test_released_addresses_are_given_again(db: Database, net: Network) -> None:
    wishes = [wish() for _ in range(12)]
    given = take(db, net, *wishes)
    gone = [wishes[3].instance_id, wishes[7].instance_id]
    assert db.run(lambda tx: fixed_ips.release(tx, gone)) == 2
    assert db.run(lambda tx: fixed_ips.release(tx, gone)) == 0
    assert sorted(take(db, net, wish(), wish())) == sorted([given[3], given[7]])


def test_a_hundred_addresses_are_three_statements(db: Database) -> None:
    big = network(cidr="10.1.0.0/16")
    db.run(lambda tx: networks.insert(tx, big))
    before = db.statements
    wants = [wish(network_id=big.id) for _ in range(100)]
    given = db.run(lambda tx: fixed_ips.allocate(tx, wants, first_time=True))
    assert db.statements - before == 3
    assert len(set(given.values())) == 100


def test_asking_twice_gives_the_same(db: Database, net: Network) -> None:
    two = [wish(), wish()]
    assert take(db, net, *two) == take(db, net, *reversed(two))[::-1]
    assert len(db.read(lambda tx: fixed_ips.of_networks(tx, [net.id]))) == 2


def test_certain_addresses(db: Database, net: Network) -> None:
    assert take(db, net, wish(fixed_ip="10.0.0.5"), wish()) == ["10.0.0.5", "10.0.0.3"]
    assert take(db, net, wish(fixed_ip="10.0.0.14")) == ["10.0.0.14"]
    for taken in ("10.0.0.5", "10.0.0.1"):
        with pytest.raises(FixedIpInUse):
            take(db, net, wish(fixed_ip=taken))
    for strange in ("10.0.0.16", "10.0.0.0", "10.0.0.15", "x", "::1"):
        with pytest.raises(FixedIpInvalid):
            take(db, net, wish(fixed_ip=strange))
    with pytest.raises(FixedIpInUse):
        take(db, net, wish(fixed_ip="10.0.0.9"), wish(fixed_ip="10.0.0.9"))
    assert len(set(take(db, net, *[wish() for _ in range(9)]))) == 9
    with pytest.raises(NotFound):
        take(db, network(), wish())


def test_a_gateway_in_the_middle_is_passed_over(db: Database) -> None:
    net = network(cidr="10.2.0.0/29", gateway="10.2.0.3", dhcp_server="10.2.0.5")
    db.run(lambda tx: networks.insert(tx, net))
    given = [take(db, net, wish())[0] for _ in range(2)] + take(db, net, wish(), wish())
    assert sorted(given) == ["10.2.0.1", "10.2.0.2", "10.2.0.4", "10.2.0.6"]
    for own in ("10.2.0.3", "10.2.0.5"):
        with pytest.raises(FixedIpInUse):
            take(db, net, wish(fixed_ip=own))
    with pytest.raises(NoMoreAddresses):
        take(db, net, wish())


def test_who_holds_an_address(db: Database, net: Network) -> None:
    one = wish(host="h1")
    (address,) = take(db, net, one)
    held = db.read(lambda tx: fixed_ips.holders(tx, address))
    assert [(ip.instance_id, ip.vif_id, ip.mac, ip.hostname, ip.host) for ip in held] == [
        (one.instance_id, one.vif_id, one.mac, "web", "h1")
    ]
    assert db.read(lambda tx: fixed_ips.holders(tx, "10.0.0.1")) == []
    assert db.run(lambda tx: fixed_ips.set_leased(tx, address, one.mac.upper(), True))
    assert not db.run(lambda tx: fixed_ips.set_leased(tx, address, ids.new_mac(), True))
    db.run(lambda tx: fixed_ips.set_host(tx, [one.instance_id], "h2"))
    (ip,) = db.read(lambda tx: fixed_ips.of_instances(tx, [one.instance_id]))
    assert (ip.leased, ip.host) == (True, "h2")
    assert db.run(lambda tx: fixed_ips.release_vifs(tx, [one.vif_id])) == 1


def test_ipv6_follows_the_mac(db: Database) -> None:
    net = network(cidr_v6="fd00:1::/64")
    db.run(lambda tx: networks.insert(tx, net))
    one = wish(mac="fa:16:3e:01:02:03", network_id=net.id)
    given = db.run(lambda tx: fixed_ips.allocate(tx, [one]))
    assert given == {one.vif_id: ("10.0.0.1", "fd00:1::f816:3eff:fe01:203")}
    assert db.run(lambda tx: fixed_ips.allocate(tx, [one])) == given
