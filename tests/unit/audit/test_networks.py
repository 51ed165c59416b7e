"""What a network host serves is compared with the addresses that are held."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import msgspec
import pytest

from nova import ids
from nova.audit.hosts import of_networks
from nova.db import fixed_ips, migrate, networks
from nova.db.engine import Database
from nova.db.fixed_ips import AddressWant
from nova.network.linux.dhcp import Dhcp
from nova.network.options import NetworkOptions
from nova.objects.holdings import DhcpEntry, NetworkHoldings, Stray
from nova.objects.ids import HostName, NetworkId
from nova.objects.network import Network

NET = Network(id=NetworkId(ids.new_uuid()), label="private", cidr="10.0.0.0/24", host=HostName("net1"))
MAC = "fa:16:3e:00:00:01"


@pytest.fixture
def db(tmp_path: pathlib.Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path}/nova.sqlite"
    migrate.upgrade(url)
    made = Database(url, durable=False)
    yield made
    made.close()


def held(db: Database) -> DhcpEntry:
    """Have an instance hold an address; return the entry that there should be."""
    want = AddressWant(instance_id=ids.new_uuid(), vif_id=ids.new_uuid(), mac=MAC, network_id=NET.id)
    db.run(lambda tx: networks.insert(tx, NET))
    got = db.run(lambda tx: fixed_ips.allocate(tx, [want]))
    return DhcpEntry(network_id=NET.id, mac=MAC, address=got[want.vif_id][0])


def rules(db: Database, told: NetworkHoldings) -> list[str]:
    return [found.rule for found in db.read(lambda tx: list(of_networks(tx, told)))]


def test_entries_and_addresses_are_compared(db: Database) -> None:
    entry = held(db)
    sound = NetworkHoldings(host=HostName("net1"), entries=(entry,))
    assert rules(db, sound) == []
    left = msgspec.structs.replace(entry, address="10.0.0.99")
    assert rules(db, msgspec.structs.replace(sound, entries=(entry, left))) == []  # until the host heals
    stranger = msgspec.structs.replace(entry, mac="fa:16:3e:00:00:02")
    assert rules(db, msgspec.structs.replace(sound, entries=(entry, stranger))) == ["dhcp"]
    assert rules(db, msgspec.structs.replace(sound, entries=(stranger,))) == ["dhcp", "dhcp"]
    busy = msgspec.structs.replace(sound, entries=(stranger,), at_work=True)
    assert rules(db, busy) == []
    dead = Stray(what="dhcp", name=NET.id, sentence="It does not run.")
    assert rules(db, msgspec.structs.replace(sound, strays=(dead,))) == ["stray-dhcp"]


def test_a_host_reads_its_entries_from_what_its_servers_read(tmp_path: pathlib.Path) -> None:
    folder = tmp_path / NET.id
    folder.mkdir()
    (folder / "dnsmasq.conf").touch()
    (folder / "hosts").write_text(f"{MAC},10.0.0.5,guest-5\n")
    entries, strays = Dhcp(
        NetworkOptions(networks_path=str(tmp_path), lease_socket=str(tmp_path / "socket"))
    ).holdings()
    assert entries == (DhcpEntry(network_id=NET.id, mac=MAC, address="10.0.0.5"),)
    assert [stray.name for stray in strays] == [NET.id]
