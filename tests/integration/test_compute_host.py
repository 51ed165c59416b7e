"""nova-compute with a real libvirt daemon, images and guests, emulated; the conductor is a double."""

from __future__ import annotations

import pathlib
import subprocess
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nova import ids
from nova.compute.daemon import make_daemon
from nova.conf import load
from nova.context import RequestContext, system_context
from nova.daemon import Surroundings
from nova.errors import NovaError
from nova.image.choice import image_store
from nova.image.directory import DirectoryStore
from nova.objects.flavor import Flavor
from nova.objects.guest import GuestSpec
from nova.objects.ids import FlavorId, InstanceId, JobId, ProjectId
from nova.objects.image import NewImage
from nova.objects.jobs import Act, Build, Destroy, Job, JobOutcome, Order, Snapshot, Verdict
from nova.objects.metadata import GuestMetadata
from nova.objects.states import Power
from nova.rpc.contracts.compute import Compute
from nova.rpc.contracts.conductor.networks import Networks
from nova.rpc.contracts.conductor.reports import Reports
from nova_tools.guest_image import LOGIN_LINE
from tests.support.eventually import eventually
from tests.support.guest_image import BOOT_SECONDS, guest_image
from tests.support.guests import a_guest, an_id
from tests.support.libvirt import LibvirtHost, libvirt_host
from tests.unit.compute.conductor_double import ConductorDouble

FLAVOR = Flavor(id=FlavorId("1"), name="tiny", vcpus=1, ram_mb=96, root_gb=1)
OWNER = ProjectId("p1")


class MetadataDouble:
    """Answers the one question that hosts ask of the contract ``Networks``."""

    def metadata_by_id(self, ctx: RequestContext, instance: InstanceId) -> GuestMetadata | None:
        return None

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def refuse(*_: Any) -> Any:
            raise NovaError()

        return refuse


class Host:
    """A nova-compute and its conductor."""

    def __init__(self, libvirt: LibvirtHost, folder: pathlib.Path) -> None:
        self.libvirt = libvirt
        file = folder / "nova.conf"
        file.write_text(
            f"[DEFAULT]\nhost = h\ncompute_driver = libvirt.LibvirtDriver\nstate_path = {folder}\n"
            f"transport_url = memory://x/{uuid.uuid4().hex}\n"
            f"instances_path = {libvirt.directory}/instances\n"
            f"[compute]\nverify_window = 0\n"
            f"[libvirt]\nconnection_uri = {libvirt.daemon.uri}\nvirt_type = qemu\ndisk_cachemode = unsafe\n"
            f"[image]\nstore = directory\n"
        )
        self.around = Surroundings(load([], [str(file)]))
        self.conductor = ConductorDouble()
        self.servers = [
            self.around.at("conductor").server(Reports, self.conductor),
            self.around.at("conductor").server(Networks, MetadataDouble()),
        ]
        store = image_store(self.around.conf)
        assert isinstance(store, DirectoryStore)
        self.store = store
        self.daemon = make_daemon(self.around)

    def start(self) -> None:
        for server in self.servers:
            server.start()
        self.daemon.start()
        assert self.daemon.wait_serving(60), self.daemon.waiting_for

    def stop(self) -> None:
        self.daemon.stop(20)
        for server in self.servers:
            server.stop(5)

    def do(self, number: int, order: Order, fence: int = 1, within_s: float = 120.0) -> JobOutcome:
        """Order a job and wait for its report."""
        job = Job(id=JobId(ids.new_uuid()), instance_id=an_id(number), fence=fence, order=order)
        self.compute.run_jobs(system_context("req-1"), [job])
        eventually(lambda: job.id in self.conductor.ended(), within_s=within_s)
        return self.conductor.outcome(job)

    @property
    def compute(self) -> Compute:
        return self.around.client(Compute).host("h")

    def console(self, number: int) -> str:
        return self.compute.console_output(system_context("req-1"), an_id(number), None)

    def left(self) -> list[str]:
        """Name what is in the folder of guests and belongs to one."""
        folder = self.libvirt.directory / "instances"
        files = [
            path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".host-boot-")
        ]
        return [str(path.relative_to(folder)) for path in files if path.parent.name != "_base"]


@pytest.fixture(scope="module")
def libvirt() -> Iterator[LibvirtHost]:
    with libvirt_host("compute") as host:
        yield host


@pytest.fixture
def host(libvirt: LibvirtHost, tmp_path: pathlib.Path) -> Iterator[Host]:
    made = Host(libvirt, tmp_path)
    try:
        made.start()
        yield made
    finally:
        made.stop()


def a_real_guest(host: Host, number: int, image: NewImage, disk: pathlib.Path, **more: Any) -> GuestSpec:
    found = host.store.add(disk, image, OWNER)
    guest = a_guest(number)
    devices = tuple(
        type(d)(**{f: getattr(d, f) for f in d.__struct_fields__} | {"image_id": found.id})
        for d in guest.block_devices
    )
    return a_guest(number, image=found, block_devices=devices, flavor=FLAVOR, vifs=(), **more)


def test_a_real_guest_is_built_led_captured_and_removed(host: Host) -> None:
    image = NewImage(name="tiny", disk_format="qcow2")
    spec = a_real_guest(host, 1, image, guest_image().disk, config_drive=True)
    built = host.do(1, Build(guest=spec))
    assert (built.verdict, built.power) == (Verdict.DONE, Power.RUNNING), built
    eventually(lambda: LOGIN_LINE in host.console(1), within_s=BOOT_SECONDS)
    inventory = host.conductor.inventories["h"]
    assert inventory.vcpus >= 1 and inventory.ram_mb > 0 and inventory.cpu_ratio == 4.0

    waiting = host.store.create(NewImage(name="snap"), OWNER)
    captured = host.do(1, Snapshot(image_id=waiting.id))
    assert captured.verdict is Verdict.DONE, captured
    made = host.store.show(waiting.id)
    assert made.status == "active" and made.size_bytes > 1 << 20

    for action, power in (("pause", Power.PAUSED), ("unpause", Power.RUNNING), ("stop", Power.SHUTDOWN)):
        done = host.do(1, Act(action=action, timeout_s=0))
        assert (done.verdict, done.power) == (Verdict.DONE, power), done
    started = host.do(1, Act(action="start", guest=spec))
    assert (started.verdict, started.power) == (Verdict.DONE, Power.RUNNING), started

    host.libvirt.virsh("destroy", an_id(1))
    eventually(
        lambda: any(g.power is Power.SHUTDOWN for _, guests, _ in host.conductor.seen for g in guests),
        within_s=20,
    )
    assert host.do(1, Destroy(reason="test"), fence=2).verdict is Verdict.DONE
    assert host.left() == []


def test_a_hostile_image_is_refused_before_anything_opens_it(host: Host, tmp_path: pathlib.Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret".ljust(1 << 20, b"\0"))
    evil = tmp_path / "evil"
    subprocess.run(
        ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", str(secret), str(evil)],
        check=True,
        timeout=30,
    )
    spec = a_real_guest(host, 2, NewImage(name="evil", disk_format="qcow2"), evil)
    outcome = host.do(2, Build(guest=spec))
    assert outcome.verdict is Verdict.FAILED
    assert outcome.error is not None and outcome.error[0] == "ImageUnusable"
    assert not outcome.retry_elsewhere
    assert host.left() == []
