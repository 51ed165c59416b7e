"""Both metadata trees against golden files, and their rules one by one."""

from __future__ import annotations

import datetime
import json
import os
import pathlib

import pytest

from nova.guestdata import Facts, VendorData, ec2_tree, openstack_tree
from nova.guestdata.network_data import network_data
from nova.guestdata.vendor_data import parse_targets, question, read_static
from nova.objects.block_device import BlockDevice, Destination, Source
from nova.objects.ids import VolumeId
from nova.objects.metadata import GuestMetadata
from nova.objects.network import Topology
from tests.support.guests import IMAGE_ID, a_guest, a_vif, b64

GOLDEN = pathlib.Path(__file__).parents[2] / "golden" / "guestdata"
TODAY = datetime.date(2026, 1, 1)


def rich_facts() -> Facts:
    disks = (
        *a_guest(7).block_devices,
        BlockDevice(id="e0", source=Source.BLANK, size_gb=2, device_name="/dev/vdb", guest_format="ext4"),
        BlockDevice(id="s0", source=Source.BLANK, size_mb=64, device_name="/dev/vdc", guest_format="swap"),
        BlockDevice(
            id="v0",
            source=Source.VOLUME,
            destination=Destination.VOLUME,
            volume_id=VolumeId("vol-1"),
            device_name="/dev/vdd",
            tag="data",
        ),
    )
    guest = a_guest(
        7,
        block_devices=disks,
        vifs=(a_vif(7, tag="front"), a_vif(8, topology=Topology.FLAT, dhcp_server=None)),
        key_name="laptop",
        key_data="ssh-ed25519 AAAA test",
        key_type="ssh",
        user_data=b64("#!/bin/sh\necho hello\n"),
        metadata={"role": "web"},
        personality={"/etc/motd": b64("welcome\n"), "/etc/empty": ""},
        admin_password="sesame",
    )
    md = GuestMetadata(
        guest=guest,
        security_groups=("default", "web"),
        ec2_instance_id="i-00000007",
        ec2_image_id="ami-00000001",
        public_ipv4="203.0.113.9",
        password="c2VjcmV0",
        instance_id=guest.id,
    )
    return Facts(
        md=md,
        domain="novalocal",
        seed=b"\x07" * 512,
        vendor=VendorData(static={"ntp": "10.0.0.2"}, dynamic={"join": {"token": "t"}}),
    )


def bare_facts() -> Facts:
    guest = a_guest(9, vifs=(), block_devices=(), image=None)
    md = GuestMetadata(guest=guest, ec2_instance_id="i-00000009", instance_id=guest.id)
    return Facts(md=md, requester="10.0.0.77")


def everything(facts: Facts) -> dict[str, object]:
    """Walk both trees by path, the way a guest does."""
    found: dict[str, object] = {}

    def walk(path: str) -> None:
        body = ec2_tree.answer(facts, path)
        assert body is not None, path
        found[path] = body.decode()
        if path.endswith("/"):
            for line in body.decode().splitlines():
                name = line.partition("=")[0] + "/" if "=" in line else line
                walk(path + name)

    for version in (*ec2_tree.VERSIONS, "latest"):
        walk(f"/{version}/meta-data/")
    for version in openstack_tree.VERSIONS:
        for name in openstack_tree.listing(facts, version):
            answer = openstack_tree.answer(facts, f"/openstack/{version}/{name}", TODAY)
            assert answer is not None
            body, kind = answer
            found[f"/openstack/{version}/{name}"] = (
                json.loads(body) if kind == "application/json" else body.decode()
            )
    return found


@pytest.mark.parametrize(("name", "facts"), [("rich", rich_facts()), ("bare", bare_facts())])
def test_everything_a_guest_can_read_is_golden(name: str, facts: Facts) -> None:
    text = json.dumps(everything(facts), indent=1, sort_keys=True) + "\n"
    path = GOLDEN / f"{name}.json"
    if os.environ.get("NOVA_REGOLDEN"):
        path.write_text(text)
    assert path.read_text() == text


def test_openstack_lists_only_versions_that_have_come() -> None:
    assert openstack_tree.versions(datetime.date(2018, 8, 27))[-2:] == ["2018-08-27", "latest"]
    body, kind = openstack_tree.answer(rich_facts(), "/openstack/", TODAY) or (b"", "")
    assert (body.decode().split("\n")[0], kind) == ("2012-08-10", "text/plain")
    early = datetime.date(2013, 1, 1)
    assert openstack_tree.answer(rich_facts(), "/openstack/2018-08-27/meta_data.json", early) is not None


@pytest.mark.parametrize(
    "path", ["/openstack/2018-08-26", "/openstack/content", "/openstack/content/0002", "/openstack/latest/x"]
)
def test_openstack_says_no(path: str) -> None:
    assert openstack_tree.answer(rich_facts(), path, TODAY) is None


def test_openstack_content_is_the_decoded_file() -> None:
    assert openstack_tree.answer(rich_facts(), "/openstack/content/0000", TODAY) == (
        b"welcome\n",
        "text/plain",
    )
    assert openstack_tree.content(rich_facts(), "0001") == b""


def test_ec2_paths_are_normalised_and_need_no_prefix() -> None:
    facts = rich_facts()
    wanted = ec2_tree.answer(facts, "/latest/meta-data/hostname")
    assert wanted == b"server-7.novalocal"
    for path in (
        "/ec2/latest/meta-data/hostname",
        "//latest//meta-data/x/../hostname",
        "/2009-04-04/meta-data/hostname",
    ):
        assert ec2_tree.answer(facts, path) == wanted
    assert ec2_tree.answer(facts, "/latest") == b"meta-data/\nuser-data"
    assert ec2_tree.answer(facts, "/latest/meta-data") == ec2_tree.answer(facts, "/latest/meta-data/")
    assert ec2_tree.answer(facts, "/latest/user-data") == b"#!/bin/sh\necho hello\n"


@pytest.mark.parametrize(
    "path", ["/2011-01-01", "/latest/api/token", "/latest/meta-data/mac", "/latest/meta-data/hostname/x"]
)
def test_ec2_says_no(path: str) -> None:
    assert ec2_tree.answer(rich_facts(), path) is None


def test_a_guest_without_a_fixed_address_is_told_where_it_asked_from() -> None:
    assert ec2_tree.answer(bare_facts(), "/latest/meta-data/local-ipv4") == b"10.0.0.77"
    assert ec2_tree.answer(bare_facts(), "/latest/user-data") is None


def test_network_data_is_absent_rather_than_empty() -> None:
    assert network_data(()) is None
    assert network_data((a_vif(1, addresses=()),)) is None
    assert network_data((a_vif(1), a_vif(2, addresses=()))) is None
    assert "network_data.json" not in openstack_tree.listing(bare_facts(), "latest")


def test_network_data_of_a_static_network_has_the_route_and_the_servers() -> None:
    told = network_data((a_vif(1, topology=Topology.FLAT, dhcp_server=None, mtu=1450),))
    assert told is not None
    assert told["links"][0]["mtu"] == 1450
    (network,) = told["networks"]
    assert (network["type"], network["ip_address"], network["netmask"]) == ("ipv4", "10.0.0.4", "255.255.0.0")
    assert network["routes"] == [{"network": "0.0.0.0", "netmask": "0.0.0.0", "gateway": "10.0.0.1"}]
    assert told["services"] == [{"type": "dns", "address": "10.0.0.1"}]


def test_ipv6_is_told_only_when_router_advertisements_lead_to_it() -> None:
    slaac = a_vif(1, mac="fa:16:3e:00:00:01", addresses=("10.0.0.4", "fd00::f816:3eff:fe00:1"))
    told = network_data((slaac,))
    assert told is not None
    assert [n["type"] for n in told["networks"]] == ["ipv4_dhcp", "ipv6_slaac"]
    other = network_data((a_vif(1, addresses=("10.0.0.4", "fd00::99")),))
    assert other is not None
    assert [n["type"] for n in other["networks"]] == ["ipv4_dhcp"]


def test_the_config_drive_tells_the_admin_password_and_no_stored_one() -> None:
    import msgspec

    facts = msgspec.structs.replace(rich_facts(), with_admin_password=True)
    files = openstack_tree.documents(facts) | ec2_tree.documents(facts, skip=("1.0",))
    assert json.loads(files["openstack/latest/meta_data.json"])["admin_pass"] == "sesame"
    assert "openstack/latest/password" not in files
    assert files["openstack/content/0000"] == b"welcome\n"
    assert "ec2/1.0/meta-data.json" not in files
    assert json.loads(files["ec2/latest/meta-data.json"])["public-keys"]["0"]["openssh-key"].startswith(
        "ssh-"
    )
    plain = json.loads(openstack_tree.document(rich_facts(), "latest", "meta_data.json") or b"{}")
    assert "admin_pass" not in plain


def test_broken_user_data_is_no_user_data() -> None:
    guest = a_guest(3, user_data="a")
    facts = Facts(md=GuestMetadata(guest=guest, instance_id=guest.id))
    assert facts.user_data is None


def test_vendor_data() -> None:
    assert read_static(b"[1]") == {} == read_static(None) == read_static(b"{")
    assert parse_targets(["a@http://x/y"]) == {"a": "http://x/y"}
    with pytest.raises(ValueError, match="name@url"):
        parse_targets(["http://x"])
    with pytest.raises(ValueError, match="two"):
        parse_targets(["a@b", "a@c"])
    assert question(rich_facts(), ("member", "reader"))["boot-roles"] == "member,reader"
    assert question(rich_facts())["image-id"] == IMAGE_ID
