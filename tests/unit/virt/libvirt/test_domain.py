"""Domain XML against golden files (``NOVA_REGOLDEN=1`` writes them anew), judged by libvirt's own schema."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from nova.objects.flavor import Flavor
from nova.objects.guest import GuestSpec
from nova.objects.ids import FlavorId
from nova.objects.image import Image
from nova.virt.libvirt import xml
from nova.virt.libvirt.domain.builder import domain_xml
from nova.virt.libvirt.plan import DomainPlan, LocalDisk, Look, Platform
from tests.support.guests import IMAGE_ID, a_guest, a_vif

GOLDEN = Path(__file__).parents[3] / "golden" / "domain"
SCHEMA = "/usr/share/libvirt/schemas/domain.rng"
MIB = 1 << 20


def a_plan(spec: GuestSpec | None = None, **changes: object) -> DomainPlan:
    root = LocalDisk(
        file="disk", format="qcow2", virtual_bytes=MIB, target="vda", bus="virtio", boot_order=1, serial="r1"
    )
    values: dict[str, object] = {
        "spec": spec or a_guest(1),
        "platform": Platform(virt_type="qemu"),
        "look": Look(),
        "directory": Path("/var/lib/nova/instances/x"),
        "disks": (root,),
        "created_at": datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC),
        "package_version": "1.0",
    }
    return DomainPlan(**(values | changes))  # type: ignore[arg-type]


def rich() -> DomainPlan:
    image = Image(
        id=IMAGE_ID,
        properties={
            "hw_vif_model": "e1000",
            "hw_video_model": "virtio",
            "hw_scsi_model": "virtio-scsi",
            "os_type": "windows",
            "hw_machine_type": "q35",
            "hw_qemu_guest_agent": "yes",
            "hw_watchdog_action": "reset",
        },
    )
    flavor = Flavor(
        id=FlavorId("2"), name='<big & "odd">\x01', vcpus=4, ram_mb=2048, root_gb=20, ephemeral_gb=1,
        swap_mb=64,
        extra_specs={
            "hw:cpu_sockets": "2", "hw_rng:rate_bytes": "2048",
            "quota:cpu_shares": "512", "quota:cpu_quota": "x",
            "quota:disk_read_iops_sec": "100", "quota:disk_total_bytes_sec": "1000000",
            "quota:vif_inbound_average": "1024", "quota:vif_inbound_burst": "2048",
            "quota:vif_outbound_peak": "1",
        },
    )  # fmt: skip
    disks = (
        LocalDisk(
            file="disk", format="raw", virtual_bytes=MIB, target="sda", bus="scsi", boot_order=1, serial="r1"
        ),
        LocalDisk(file="disk.eph0", format="raw", virtual_bytes=MIB, target="sdb", bus="scsi", serial="e1"),
        LocalDisk(file="disk.swap", format="raw", virtual_bytes=MIB, target="sdc", bus="scsi", serial="s1"),
        LocalDisk(
            file="disk.config", format="raw", virtual_bytes=MIB, target="sdz", bus="sata", device="cdrom",
            readonly=True,
        ),
    )  # fmt: skip
    spec = a_guest(
        2, name="a <b> & \x00\ud800c", flavor=flavor, image=image,
        vifs=(a_vif(2, mtu=1400), a_vif(3, bridge="br200"), a_vif(4, bridge=None)),
    )  # fmt: skip
    return a_plan(spec, platform=Platform(virt_type="kvm", machine="pc"), disks=disks)


def three_parts() -> DomainPlan:
    look = Look(vnc_listen=None, mem_stats_period=0, tb_cache_mb=0, cpu_mode="maximum")
    flavor = Flavor(id=FlavorId("3"), name="f", vcpus=1, ram_mb=64, extra_specs={"hw_rng:allowed": "False"})
    return a_plan(a_guest(3, flavor=flavor, vifs=()), look=look, kernel=True, ramdisk=True)


PLANS = {"plain": a_plan(), "rich": rich(), "three_parts": three_parts()}


@pytest.mark.parametrize("name", PLANS)
def test_golden(name: str) -> None:
    text = domain_xml(PLANS[name])
    path = GOLDEN / f"{name}.xml"
    if os.environ.get("NOVA_REGOLDEN"):
        path.write_text(text)
    assert text == path.read_text()
    schema = etree.RelaxNG(file=SCHEMA)
    assert schema.validate(etree.fromstring(text)), schema.error_log


def test_every_disk_says_its_format() -> None:
    for plan in PLANS.values():
        for driver in xml.parse(domain_xml(plan)).iterfind("./devices/disk/driver"):
            assert driver.get("type") in ("raw", "qcow2")


@pytest.mark.parametrize(
    ("vcpus", "specs", "expected"),
    [
        (4, {}, ("4", "1", "1")),
        (4, {"hw:cpu_sockets": "2"}, ("2", "2", "1")),
        (4, {"hw:cpu_cores": "4"}, ("1", "4", "1")),
        (8, {"hw:cpu_threads": "2", "hw:cpu_cores": "2"}, ("2", "2", "2")),
        (3, {"hw:cpu_sockets": "2"}, ("3", "1", "1")),
        (2, {"hw:cpu_sockets": "x"}, ("2", "1", "1")),
    ],
)
def test_topology(vcpus: int, specs: dict[str, str], expected: tuple[str, ...]) -> None:
    flavor = Flavor(id=FlavorId("1"), name="f", vcpus=vcpus, ram_mb=64, extra_specs=specs)
    topology = xml.parse(domain_xml(a_plan(a_guest(1, flavor=flavor)))).find("./cpu/topology")
    assert topology is not None
    assert tuple(topology.get(word) for word in ("sockets", "cores", "threads")) == expected


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=40))
def test_no_text_of_users_breaks_out(text: str) -> None:
    names = (
        "hw_machine_type",
        "hw_vif_model",
        "hw_video_model",
        "hw_scsi_model",
        "os_command_line",
        "hw_disk_bus",
    )
    image = Image(id=IMAGE_ID, properties=dict.fromkeys(names, text))
    flavor = Flavor(id=FlavorId("1"), name=text, vcpus=1, ram_mb=64)
    plan = a_plan(a_guest(1, name=text, image=image, flavor=flavor), kernel=True)
    root = xml.parse(domain_xml(plan))
    plain = xml.parse(domain_xml(a_plan(kernel=True)))
    assert [e.tag for e in root.iter()] == [e.tag for e in plain.iter()]


def test_entities_are_refused() -> None:
    with pytest.raises(ValueError, match="document type"):
        xml.parse('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')
