"""The libvirt driver with a real daemon and real QEMU guests, emulated."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nova.errors.virt import ActionFailed, BuildFailed, GuestNotFound, HypervisorUnavailable, NoConsole
from nova.objects.block_device import BlockDevice, Source
from nova.objects.flavor import Flavor
from nova.objects.guest import GuestSpec
from nova.objects.ids import FlavorId, VifId
from nova.objects.network import FilterRule, GuestFilter, Vif
from nova.objects.states import Capability, Power
from nova.virt.base import Material
from nova.virt.capabilities import (
    ConsoleLog,
    GuestDiagnostics,
    HostFilters,
    Pause,
    SoftReboot,
    Suspend,
    Vnc,
)
from nova.virt.capabilities import Snapshots as SnapshotsProtocol
from nova.virt.libvirt.driver import LibvirtDriver
from nova_tools.guest_image import LOGIN_LINE
from tests.support.eventually import eventually
from tests.support.guest_image import BOOT_SECONDS, guest_image
from tests.support.guests import IMAGE_ID, a_guest, a_vif, an_id
from tests.support.libvirt import Heard, LibvirtHost, libvirt_host, started

FLAVOR = Flavor(id=FlavorId("1"), name="tiny", vcpus=1, ram_mb=96, root_gb=1)
BLANKS = (
    BlockDevice(id="eph", source=Source.BLANK, size_gb=1, device_name="/dev/vdb"),
    BlockDevice(id="swap", source=Source.BLANK, size_mb=64, guest_format="swap", device_name="/dev/vdc"),
)
USER_DATA = """\
#!/bin/sh
i=0; while [ $i -lt 2000 ]; do echo "canary $i"; i=$((i+1)); done >/canary
sync
mount "$(findfs LABEL=ephemeral0)" /mnt
echo "ephemeral $(ls /mnt)" >/dev/console
echo "canary written" >/dev/console
while :; do dd if=/dev/urandom of=/noise bs=4k count=64 2>/dev/null; sync; sleep 0.2; done
"""


def spec(number: int, **changes: Any) -> GuestSpec:
    values: dict[str, Any] = {"flavor": FLAVOR, "vifs": ()}
    return a_guest(number, **(values | changes))


def material(config_drive: Path | None = None) -> Material:
    return Material(
        images={IMAGE_ID: guest_image().disk}, formats={IMAGE_ID: "qcow2"}, config_drive=config_drive
    )


def make_config_drive(directory: Path) -> Path:
    tree = directory / "tree/openstack/latest"
    tree.mkdir(parents=True)
    (tree / "meta_data.json").write_text(json.dumps({"uuid": "i-1", "hostname": "driven"}))
    (tree / "user_data").write_text(USER_DATA)
    drive = directory / "drive.iso"
    subprocess.run(
        ["genisoimage", "-quiet", "-R", "-J", "-V", "config-2", "-o", drive, directory / "tree"],
        check=True, timeout=60, capture_output=True,
    )  # fmt: skip
    return drive


@pytest.fixture(scope="module")
def host() -> Iterator[LibvirtHost]:
    with libvirt_host("lv") as made:
        yield made


@pytest.fixture(scope="module")
def heard() -> Heard:
    return Heard()


@pytest.fixture(scope="module")
def driver(host: LibvirtHost, heard: Heard) -> Iterator[LibvirtDriver]:
    with started(host, heard) as made:
        yield made


@pytest.fixture(autouse=True)
def clean(host: LibvirtHost) -> Iterator[None]:
    """What a failed test leaves does not make the next one fail."""
    yield
    if host.daemon.answers():
        host.daemon.destroy_guests()
    for left in (host.directory / "instances").glob("*"):
        shutil.rmtree(left)


def log_says(driver: LibvirtDriver, guest: GuestSpec, words: str, times: int = 1) -> bool:
    return driver.console_log(guest.id, None, 1 << 20).decode(errors="replace").count(words) >= times


def wait_for_log(driver: LibvirtDriver, guest: GuestSpec, words: str, times: int = 1) -> None:
    eventually(
        lambda: log_says(driver, guest, words, times),
        within_s=BOOT_SECONDS,
        what=f"{words!r} in the console log",
    )


def canary_of(image: Path, disk_format: str, directory: Path) -> str:
    """Read the file /canary out of a disk image, with the file system judged whole."""
    raw = directory / "disk.raw"
    subprocess.run(
        ["qemu-img", "convert", "-f", disk_format, "-O", "raw", image, raw], check=True, timeout=120
    )
    # As after a power cut: the superblock may be behind, nothing else wrong (e2fsck: 1 = put right).
    checked = subprocess.run(["e2fsck", "-fy", raw], capture_output=True, timeout=60)
    assert checked.returncode in (0, 1), checked.stdout
    read = subprocess.run(["debugfs", "-R", "cat /canary", raw], capture_output=True, text=True, timeout=60)
    return read.stdout


CANARY = "".join(f"canary {n}\n" for n in range(2000))


def test_declares_what_it_has(driver: LibvirtDriver, host: LibvirtHost) -> None:
    for protocol in (
        SoftReboot,
        Pause,
        Suspend,
        SnapshotsProtocol,
        ConsoleLog,
        Vnc,
        GuestDiagnostics,
        HostFilters,
    ):
        assert isinstance(driver, protocol)
    (inventory,) = driver.inventories()
    assert inventory.vcpus == os.cpu_count() and inventory.ram_mb > 500 and inventory.disk_gb > 0
    assert ("x86_64", "qemu", "hvm") in inventory.supported
    assert Capability.VNC in inventory.capabilities
    assert inventory.hypervisor_version >= 4_000_000
    assert inventory.cpu_info["arch"] == "x86_64"


def test_the_life_of_a_guest(driver: LibvirtDriver, host: LibvirtHost, heard: Heard, tmp_path: Path) -> None:
    guest = spec(1, block_devices=(*a_guest(1).block_devices, *BLANKS), config_drive=True)
    driver.spawn(guest, material(make_config_drive(tmp_path)))
    driver.spawn(guest, material())  # the same job again changes nothing
    assert driver.power_state(guest.id) is Power.RUNNING
    wait_for_log(driver, guest, "canary written")
    for words in ("instance-id: i-1", "vda=1024M vdb=1024M vdc=64M", "ephemeral lost+found"):
        assert log_says(driver, guest, words), words

    # Screen and counters.
    target = driver.vnc(guest.id)
    with socket.create_connection((target.host, target.port), timeout=10) as screen:
        assert screen.recv(4) == b"RFB "
    counters = driver.diagnostics(guest.id)
    assert (counters.state, counters.config_drive, len(counters.disks)) == ("running", True, 4)
    assert (counters.disks[0]["write_bytes"] or 0) > 0 and (counters.memory["maximum"] or 0) == 96

    # A snapshot of the running guest, while it writes.
    driver.snapshot(guest.id, tmp_path / "live", "qcow2")
    info = json.loads(
        subprocess.run(
            ["qemu-img", "info", "-f", "qcow2", "--output=json", tmp_path / "live"],
            check=True, capture_output=True,
        ).stdout
    )  # fmt: skip
    assert "backing-filename" not in info and info["virtual-size"] == 1 << 30
    subprocess.run(["qemu-img", "check", "-q", "-f", "qcow2", tmp_path / "live"], check=True)
    assert canary_of(tmp_path / "live", "qcow2", tmp_path) == CANARY
    assert driver.power_state(guest.id) is Power.RUNNING
    assert "mirror" not in host.virsh("dumpxml", guest.id)

    # Pause and suspend, each twice.
    for _ in range(2):
        driver.pause(guest.id)
    assert driver.power_state(guest.id) is Power.PAUSED
    driver.snapshot(guest.id, tmp_path / "paused", "raw")
    assert (tmp_path / "paused").stat().st_size == 1 << 30
    for _ in range(2):
        driver.unpause(guest.id)
    for _ in range(2):
        driver.suspend(guest.id)
    assert driver.power_state(guest.id) is Power.SUSPENDED
    for _ in range(2):
        driver.resume(guest)
    assert driver.power_state(guest.id) is Power.RUNNING

    # An orderly end, and a snapshot of what lies still.
    assert not log_says(driver, guest, "going down")
    driver.power_off(guest.id, 60)
    driver.power_off(guest.id, 60)
    assert driver.power_state(guest.id) is Power.SHUTDOWN
    assert log_says(driver, guest, "tiny guest going down")
    driver.snapshot(guest.id, tmp_path / "cold", "qcow2")
    assert canary_of(tmp_path / "cold", "qcow2", tmp_path) == CANARY
    with pytest.raises(NoConsole, match="no screen"):
        driver.vnc(guest.id)

    eventually(lambda: heard.of(guest.id)[-1:] == [Power.SHUTDOWN], within_s=5)
    told = dict.fromkeys(heard.of(guest.id))
    assert list(told) == [Power.RUNNING, Power.PAUSED, Power.SUSPENDED, Power.SHUTDOWN]
    directory = host.directory / "instances" / guest.id
    assert directory.is_dir()
    for _ in range(2):
        driver.destroy(guest.id, "test")
    assert not directory.exists() and guest.id not in host.virsh("list", "--all", "--uuid")
    with pytest.raises(GuestNotFound):
        driver.power_state(guest.id)


@contextlib.contextmanager
def network_service(host: LibvirtHost, vif: Vif, directory: Path) -> Iterator[None]:
    """Stand in for the network service: a bridge with an address, DHCP and metadata for one guest."""
    bridge = vif.bridge or ""
    host.network.ip("link", "add", bridge, "type", "bridge")
    host.network.ip("addr", "add", f"{vif.gateway}/16", "dev", bridge)
    host.network.ip("addr", "add", "169.254.169.254/32", "dev", bridge)
    host.network.ip("link", "set", bridge, "up")
    metadata = directory / "latest/meta-data"
    metadata.mkdir(parents=True)
    (metadata / "instance-id").write_text("i-0000beef")
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    programs = [
        host.network.popen(
            "dnsmasq", "--keep-in-foreground", "--port=0", "--conf-file=/dev/null", f"--interface={bridge}",
            "--bind-interfaces", "--dhcp-range=10.0.0.0,static,255.255.0.0", "--dhcp-authoritative",
            f"--dhcp-host={vif.mac},{vif.addresses[0]}", f"--dhcp-leasefile={directory}/leases",
            "--user=root", **quiet,
        ),
        host.network.popen(
            sys.executable, "-m", "http.server", "--bind", "169.254.169.254", "--directory", str(directory),
            "80", **quiet,
        ),
    ]  # fmt: skip
    try:
        yield
    finally:
        for program in programs:
            program.kill()
            program.wait()
        host.network.ip("link", "del", bridge)


def test_interfaces_are_connected_and_guarded(
    driver: LibvirtDriver, host: LibvirtHost, tmp_path: Path
) -> None:
    vif = a_vif(2, id=VifId("0000beef-0000-4000-8000-000000000000"), mtu=1400)
    guest = spec(11, vifs=(vif,))

    def pings() -> bool:
        done = host.network.run("busybox", "ping", "-c", "1", "-W", "1", vif.addresses[0], check=False)
        return bool(done.returncode == 0)

    def table() -> str:
        return str(host.network.run("nft", "list", "table", "bridge", "nova-guests").stdout)

    with network_service(host, vif, tmp_path):
        driver.spawn(guest, material())
        link = host.network.ip("link", "show", vif.device)
        assert "master br100" in link and "mtu 1400" in link
        assert vif.device in table()
        wait_for_log(driver, guest, LOGIN_LINE)
        for words in (f"eth0 {vif.addresses[0]}/16 mac {vif.mac}", "instance-id: i-0000beef"):
            assert log_says(driver, guest, words), words
        assert not pings()
        allowed = FilterRule(protocol="icmp", cidrs=("0.0.0.0/0",))
        driver.apply_filters([GuestFilter(instance_id=guest.id, vifs=(vif,), rules=(allowed,))])
        assert pings()
        nic = driver.diagnostics(guest.id).nics[0]
        assert nic["mac_address"] == vif.mac and int(str(nic["rx_packets"])) > 0
        driver.destroy(guest.id, "test")
    assert vif.device not in host.network.ip("link", "show") and vif.device not in table()


def test_reboots_and_what_guests_do_by_themselves(
    driver: LibvirtDriver, host: LibvirtHost, heard: Heard
) -> None:
    guest = spec(2)
    driver.spawn(guest, material())
    wait_for_log(driver, guest, LOGIN_LINE)

    before = len(heard.of(guest.id))
    first = host.qemu_pid(guest.id)
    assert driver.reboot_soft(guest, 60)
    assert host.qemu_pid(guest.id) != first
    eventually(lambda: len(heard.of(guest.id)) > before, within_s=5)
    assert set(heard.of(guest.id)[before:]) == {Power.RUNNING}, "the stop inside a reboot is nobody's news"

    assert not driver.reboot_soft(guest, 0)
    second = host.qemu_pid(guest.id)
    driver.reboot_hard(guest)
    assert host.qemu_pid(guest.id) != second
    assert driver.power_state(guest.id) is Power.RUNNING

    # The process dies without anybody's wish: known within a moment, and put right by a start.
    os.kill(host.qemu_pid(guest.id), signal.SIGKILL)
    eventually(lambda: heard.of(guest.id)[-1] in (Power.SHUTDOWN, Power.CRASHED), within_s=10)
    driver.power_on(guest)
    driver.power_on(guest)
    assert driver.power_state(guest.id) is Power.RUNNING
    driver.destroy(guest.id, "test")


def test_restarts_of_daemon_and_agent_do_no_harm(
    driver: LibvirtDriver, host: LibvirtHost, heard: Heard
) -> None:
    guest = spec(3)
    driver.spawn(guest, material())
    pid = host.qemu_pid(guest.id)
    # libvirt goes away and comes back.
    host.stop_daemon()
    with pytest.raises(HypervisorUnavailable):
        driver.power_state(guest.id)
    before = len(heard.of(guest.id))
    host.start_daemon()
    eventually(lambda: len(heard.of(guest.id)) > before, within_s=30, what="all guests are told of anew")
    assert driver.power_state(guest.id) is Power.RUNNING and host.qemu_pid(guest.id) == pid
    # News come over the new connection.
    host.virsh("suspend", guest.id)
    eventually(lambda: heard.of(guest.id)[-1] is Power.PAUSED, within_s=10)
    host.virsh("resume", guest.id)
    # Another agent (this one's next life) finds the guest.
    with started(host) as successor:
        assert [(g.instance_id, g.power) for g in successor.guests()] == [(guest.id, Power.RUNNING)]
        successor.destroy(guest.id, "test")
    assert list(driver.guests()) == []


def test_a_stopped_process_blocks_nobody_else(driver: LibvirtDriver, host: LibvirtHost) -> None:
    hung, fine = spec(4), spec(5)
    driver.spawn(hung, material())
    driver.spawn(fine, material())
    os.kill(host.qemu_pid(hung.id), signal.SIGSTOP)
    try:
        with started(host, call_timeout=2.0) as impatient:
            with pytest.raises(HypervisorUnavailable, match="does not answer"):
                impatient.pause(hung.id)
            assert impatient.power_state(fine.id) is Power.RUNNING
            assert len(impatient.guests()) == 2
            impatient.pause(fine.id)
            impatient.diagnostics(fine.id)
    finally:
        with contextlib.suppress(OSError):
            driver.destroy(hung.id, "test")
            driver.destroy(fine.id, "test")
    assert list(driver.guests()) == []


def test_a_failed_build_leaves_nothing(driver: LibvirtDriver, host: LibvirtHost) -> None:
    image = a_guest(1).image
    assert image is not None
    impossible = spec(6, flavor=Flavor(id=FlavorId("x"), name="x", vcpus=100_000, ram_mb=64, root_gb=1))
    with pytest.raises(BuildFailed, match="host-1"):
        driver.spawn(impossible, material())
    with pytest.raises(BuildFailed, match="was not brought"):
        driver.spawn(spec(7), Material())
    assert list((host.directory / "instances").iterdir()) == []
    assert host.virsh("list", "--all", "--name") == ""


def test_what_a_guest_writes_into_its_disk_is_never_believed(
    driver: LibvirtDriver, host: LibvirtHost, tmp_path: Path
) -> None:
    """A header that names a file of the host, written by a guest at the start of its raw disk."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"host canary".ljust(1 << 20, b"!"))
    hostile = tmp_path / "hostile"
    subprocess.run(
        ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", secret, hostile], check=True
    )
    with started(host, images_type="raw") as flat:
        guest = spec(10, power_on=False)
        flat.spawn(guest, material())
        assert flat.power_state(guest.id) is Power.SHUTDOWN
        disk = host.directory / "instances" / guest.id / "disk"
        with disk.open("r+b") as file:
            file.write(hostile.read_bytes())
        flat.power_on(guest)
        flat.snapshot(guest.id, tmp_path / "live", "raw")
        flat.reboot_hard(guest)
        flat.power_off(guest.id, 0)
        flat.snapshot(guest.id, tmp_path / "cold", "raw")
        for name in ("live", "cold"):
            assert (tmp_path / name).stat().st_size == 1 << 30
            with (tmp_path / name).open("rb") as copy:
                head = copy.read(4 << 20)
            assert head[:4] == b"QFI\xfb" and b"host canary" not in head
        flat.destroy(guest.id, "test")
    assert secret.read_bytes().startswith(b"host canary")


def test_destroy_removes_what_is_left_of_a_guest(driver: LibvirtDriver, host: LibvirtHost) -> None:
    """Each part alone: the folder without a domain, a domain without its folder, a removal cut short."""
    instances = host.directory / "instances"
    for number, part in enumerate(("domain", "folder", "cut short")):
        guest = spec(20 + number, power_on=False)
        driver.spawn(guest, material())
        if part == "domain":
            host.virsh("undefine", guest.id)
        elif part == "folder":
            shutil.rmtree(instances / guest.id)
        else:
            host.virsh("undefine", guest.id)
            (instances / guest.id).rename(instances / f"{guest.id}_del")
        driver.destroy(guest.id, "test")
        driver.destroy(guest.id, "test")
    assert list(instances.iterdir()) == [] and host.virsh("list", "--all", "--name") == ""


def test_what_flavors_and_images_may_ask_for_is_taken_by_qemu(
    driver: LibvirtDriver, host: LibvirtHost, tmp_path: Path
) -> None:
    wishes = {
        "hw_machine_type": "q35", "hw_disk_bus": "scsi", "hw_vif_model": "e1000", "hw_video_model": "virtio",
        "hw_qemu_guest_agent": "yes", "hw_watchdog_action": "reset", "hw_pointer_model": "ps2mouse",
    }  # fmt: skip
    image = a_guest(1).image
    assert image is not None
    specs = {
        "quota:disk_read_iops_sec": "1000", "hw_rng:rate_bytes": "2048", "hw:cpu_cores": "2",
    }  # fmt: skip
    guest = spec(
        12,
        image=msgspec.structs.replace(image, properties=wishes),
        flavor=msgspec.structs.replace(FLAVOR, vcpus=2, extra_specs=specs),
        block_devices=(*a_guest(1).block_devices, *BLANKS),
        vifs=(a_vif(2, id=VifId("0000cafe-0000-4000-8000-000000000000")),),
    )
    driver.spawn(guest, material(make_config_drive(tmp_path)))
    assert driver.power_state(guest.id) is Power.RUNNING
    found = host.virsh("dumpxml", guest.id)
    for words in ("bus='scsi'", "read_iops_sec>1000<", "i6300esb", "org.qemu.guest_agent.0", "cores='2'"):
        assert words in found, words
    driver.destroy(guest.id, "test")


def test_a_definition_that_was_lost_is_written_again(driver: LibvirtDriver, host: LibvirtHost) -> None:
    guest = spec(30)
    driver.spawn(guest, material())
    driver.power_off(guest.id, 0)
    host.virsh("undefine", guest.id)
    with pytest.raises(GuestNotFound):
        driver.power_state(guest.id)
    driver.power_on(guest)
    assert driver.power_state(guest.id) is Power.RUNNING
    driver.suspend(guest.id)
    driver.power_off(guest.id, 60)
    assert driver.power_state(guest.id) is Power.SHUTDOWN, "the saved memory is dropped"
    driver.destroy(guest.id, "test")


def test_foreign_domains_are_left_alone(driver: LibvirtDriver, host: LibvirtHost, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.xml"
    for name in ("somebody", f"instance-{an_id(8)}"):
        foreign.write_text(
            f"<domain type='qemu'><name>{name}</name><uuid>{an_id(8)}</uuid><memory>8192</memory>"
            "<os><type>hvm</type></os></domain>"
        )
        host.virsh("define", str(foreign))
        try:
            assert list(driver.guests()) == []
            with pytest.raises(ActionFailed, match="foreign"):
                driver.destroy(an_id(8), "test")
            assert host.virsh("domstate", name) == "shut off"
        finally:
            host.virsh("undefine", name)


def test_runs_on_green_threads(host: LibvirtHost) -> None:
    script = """
from nova import concurrency
assert concurrency.start("eventlet") == "eventlet"
import logging, sys, threading, time, warnings
logging.basicConfig(level=logging.INFO)
logging.getLogger("pyroute2").setLevel(logging.WARNING)
from pathlib import Path
from nova.clock import Clock
from nova.conf.libvirt import LibvirtConf
from nova.virt.libvirt.driver import LibvirtDriver
from tests.integration.test_libvirt_driver import material, spec
ticks, news = [], []
def tick():
    while True:
        ticks.append(time.monotonic())
        time.sleep(0.02)
threading.Thread(target=tick, daemon=True).start()
conf = LibvirtConf(instances_path=Path(sys.argv[1]), connection_uri=sys.argv[2], virt_type="qemu")
driver = LibvirtDriver(conf, "green", Clock())
driver.start(lambda *heard: news.append(heard))
guest = spec(9)
driver.spawn(guest, material())
driver.pause(guest.id)
driver.suspend(guest.id)
end = time.monotonic() + 10
while (not news or news[-1][1] != 7) and time.monotonic() < end:
    time.sleep(0.05)
driver.destroy(guest.id, "test")
driver.stop()
print(news[-1] == (guest.id, 7), max(b - a for a, b in zip(ticks, ticks[1:])) < 1.5)
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, str(host.directory / "instances"), host.daemon.uri],
        capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(["", *sys.path])},
    )  # fmt: skip
    assert done.stdout.split() == ["True", "True"], done.stderr[-3000:]
