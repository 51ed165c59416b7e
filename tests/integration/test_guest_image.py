"""The guest image boots under emulation, learns who it is, logs in, obeys the power button."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from tests.support.guest_image import guest_image, running_guest

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFakeFakeFakeFakeFakeFakeFakeFakeFakeFakeFake me@here"
USER_DATA = "#!/bin/sh\necho seen-by-user-data\n"
# QEMU runs this for each connection the guest makes to 169.254.169.254:80.
METADATA_SERVICE = """\
#!/usr/bin/python3
import sys
path = sys.stdin.buffer.readline().split()[1].decode()
body = {answers!r}.get(path)
status = '404 Not Found' if body is None else '200 OK'
sys.stdout.write('HTTP/1.0 ' + status + '\\r\\n\\r\\n' + (body or ''))
sys.stdout.flush()
"""


def overlay(image: Path, directory: Path, size: str = "200M") -> str:
    path = directory / "disk.qcow2"
    subprocess.run(
        ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", image, path, size], check=True
    )
    return f"file={path},if=virtio,format=qcow2"


def test_boots_with_the_metadata_service_and_obeys_the_power_button(tmp_path: Path) -> None:
    service = tmp_path / "metadata"
    answers = {
        "/latest/meta-data/instance-id": "i-0000002a",
        "/latest/meta-data/local-hostname": "meta.example",
        "/latest/meta-data/public-keys/": "0=mine",
        "/latest/meta-data/public-keys/0/openssh-key": KEY + "\n",
        "/latest/user-data": USER_DATA,
    }
    service.write_text(METADATA_SERVICE.format(answers=answers))
    service.chmod(0o755)
    nic = f"user,id=n0,net=169.254.169.0/24,guestfwd=tcp:169.254.169.254:80-cmd:{service}"
    with running_guest(tmp_path, overlay(guest_image().disk, tmp_path), nic=nic) as guest:
        text = guest.expect("=== login: root / tiny")
        assert "metadata from: service" in text
        assert "instance-id: i-0000002a" in text
        assert "hostname:    meta.example" in text
        assert "eth0 169.254.169.15/24" in text
        assert "ssh keys:    1" in text
        assert "vda=200M" in text
        guest.log_in()
        guest.type("cat /root/.ssh/authorized_keys /run/user-data.log; df -m / | tail -n 1")
        answer = guest.expect("% /")
        assert KEY in answer
        assert "seen-by-user-data" in guest.text
        assert int(answer.split("/dev/")[-1].split()[1]) > 150, "the root file system grew to its disk"
        guest.monitor("system_powerdown")
        guest.expect("=== tiny guest going down")
        guest.expect("Power down", 60)


def test_boots_from_kernel_and_ramdisk_with_a_config_drive(tmp_path: Path) -> None:
    image = guest_image()
    tree = tmp_path / "drive/openstack/latest"
    tree.mkdir(parents=True)
    meta = {"uuid": "5f3a", "hostname": "drive.example", "public_keys": {"mine": KEY + "\n"}}
    (tree / "meta_data.json").write_text(json.dumps(meta))
    (tree / "user_data").write_text(USER_DATA)
    iso = tmp_path / "config.iso"
    subprocess.run(
        ["genisoimage", "-quiet", "-R", "-J", "-V", "config-2", "-o", iso, tmp_path / "drive"], check=True
    )
    root = tmp_path / "root.raw"
    shutil.copyfile(image.root, root)
    disks = (f"file={root},if=virtio,format=raw", f"file={iso},if=ide,media=cdrom,format=raw,readonly=on")
    kernel = ["-kernel", str(image.kernel), "-initrd", str(image.ramdisk)]
    line = "root=/dev/vda console=tty0 console=ttyS0,115200 net.ifnames=0 quiet"
    with running_guest(tmp_path, *disks, more=(*kernel, "-append", line)) as guest:
        text = guest.expect("=== login: root / tiny")
        assert "metadata from: config drive" in text
        assert "instance-id: 5f3a" in text
        assert "hostname:    drive.example" in text
        assert "ssh keys:    1" in text
        guest.expect("user-data: seen-by-user-data")
        guest.expect("user data ended with 0")
