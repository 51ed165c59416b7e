"""Config drives, read back by a program that knows the file system."""

from __future__ import annotations

import json
import pathlib
import shutil
import subprocess

import msgspec
import pytest

from nova.compute.config_drive import ConfigDrives
from nova.conf.compute import ComputeConf
from nova.errors import Unavailable
from nova.errors.virt import BuildFailed
from nova.objects.ids import InstanceId
from nova.objects.metadata import GuestMetadata
from tests.support.guests import a_guest

ISOINFO = "isoinfo"


def read(drive: pathlib.Path, name: str) -> bytes:
    done = subprocess.run(
        [ISOINFO, "-R", "-i", str(drive), "-x", f"/{name}"], capture_output=True, timeout=30, check=True
    )
    return done.stdout


def test_a_guest_finds_what_it_is(tmp_path: pathlib.Path) -> None:
    assert shutil.which(ISOINFO) is not None
    spec = a_guest(1, config_drive=True, admin_password="pass", personality={"/etc/motd": "aGVsbG8="})
    told = GuestMetadata(guest=spec, instance_id=spec.id, ec2_instance_id="i-00000007")
    vendor = tmp_path / "vendor.json"
    vendor.write_text('{"from": "operator"}')
    drives = ConfigDrives(ComputeConf(instances_path=tmp_path), "h", lambda _: told, vendor)
    drive = drives.make(spec)
    assert drive.read_bytes()[32808:32816] == b"config-2"
    meta = json.loads(read(drive, "openstack/latest/meta_data.json"))
    assert (meta["uuid"], meta["hostname"], meta["admin_pass"]) == (spec.id, "server-1.novalocal", "pass")
    assert json.loads(read(drive, "openstack/latest/vendor_data.json")) == {"from": "operator"}
    assert json.loads(read(drive, "ec2/latest/meta-data.json"))["instance-id"] == "i-00000007"
    assert read(drive, "openstack/content/0000") == b"hello"
    assert [path.name for path in drive.parent.iterdir()] == [drive.name]
    assert drive.stat().st_mode & 0o077 == 0


def _away(_: InstanceId) -> GuestMetadata | None:
    raise Unavailable(part="the conductor")


def test_what_cannot_be_made_is_a_failed_build(tmp_path: pathlib.Path) -> None:
    conf = ComputeConf(instances_path=tmp_path)
    with pytest.raises(BuildFailed):
        ConfigDrives(conf, "h", _away).make(a_guest(1))
    without = msgspec.structs.replace(conf, mkisofs="no-such-program")
    with pytest.raises(BuildFailed):
        ConfigDrives(without, "h", lambda _: None).make(a_guest(1))
    assert list((tmp_path / "_config_drives").iterdir()) == []
