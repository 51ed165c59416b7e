"""Instances and hosts as a cloud has them: for measuring without a cloud, and for filling databases."""

from __future__ import annotations

import datetime

from nova import ids
from nova.db import flavors, hosts, instances, services
from nova.db.engine import Database, Tx
from nova.objects.flavor import Flavor
from nova.objects.host import HostInventory, ServiceBeat
from nova.objects.ids import (
    FlavorId,
    HostName,
    ImageId,
    InstanceId,
    NetworkId,
    NodeName,
    ProjectId,
    UserId,
    VifId,
)
from nova.objects.image import Image
from nova.objects.instance import Instance
from nova.objects.network import Vif
from nova.objects.states import Power, Vm

_AT_ONCE = 1000
_BEGAN = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
FLAVOR = Flavor(id=FlavorId("bench"), name="bench", vcpus=1, ram_mb=64, root_gb=1)
_IMAGE = Image(
    id=ImageId("0e0a5a3c-9c9d-4a65-9d3c-5f8c1c2b7a11"), name="tiny", properties={"hw_disk_bus": "virtio"}
)


def instance(number: int, host: str, project: str = "crowd") -> Instance:
    """Make a running instance with one address."""
    instance_id = ids.derived_uuid("bench", number)
    vif = Vif(
        id=VifId(ids.derived_uuid("bench", number, "vif")),
        mac=f"fa:16:3e:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}",
        network_id=NetworkId("5d1c0a5e-2a53-4c2e-9d3c-3f8c1c2b7a22"),
        label="private",
        addresses=(f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",),
    )
    created = _BEGAN + datetime.timedelta(seconds=number)
    return Instance(
        id=InstanceId(instance_id),
        project_id=ProjectId(project),
        user_id=UserId("somebody"),
        display_name=f"server-{number}",
        hostname=f"server-{number}",
        vm_state=Vm.ACTIVE,
        power_state=Power.RUNNING,
        flavor=FLAVOR,
        image=_IMAGE,
        metadata={"role": "web", "owner": "team-7"},
        vifs=(vif,),
        security_groups=("default",),
        host=HostName(host),
        node=NodeName(host),
        availability_zone="nova",
        reservation_id="r-bench",
        created_at=created,
        updated_at=created,
        launched_at=created,
    )


def fill_instances(db: Database, count: int, project: str, *, first: int = 0) -> None:
    """Put so many running instances into a database, on hosts that do not exist."""
    for start in range(first, first + count, _AT_ONCE):
        rows = [
            instance(n, f"filler{n % 1000}", project)
            for n in range(start, min(start + _AT_ONCE, first + count))
        ]
        db.run(lambda tx, rows=rows: instances.insert(tx, rows))  # type: ignore[misc]


def inventory(name: str) -> HostInventory:
    """Make what a host reports."""
    return HostInventory(
        host=HostName(name),
        node=NodeName(name),
        hypervisor_type="fake",
        vcpus=64,
        ram_mb=1 << 20,
        disk_gb=100_000,
        supported=(("x86_64", "fake", "hvm"),),
    )


def fill_hosts(db: Database, count: int) -> None:
    """Put so many hosts into a database that have reported once."""
    for start in range(0, count, _AT_ONCE):
        names = [f"filler{n}" for n in range(start, min(start + _AT_ONCE, count))]
        beat_hosts(db, names)
        db.run(lambda tx, names=names: hosts.report(tx, [inventory(name) for name in names]))  # type: ignore[misc]


def beat_hosts(db: Database, names: list[str]) -> None:
    """Say that these hosts live."""
    beats = [ServiceBeat(host=HostName(name), binary="nova-compute", topic="compute") for name in names]
    for start in range(0, len(beats), _AT_ONCE):
        part = beats[start : start + _AT_ONCE]
        db.run(lambda tx, part=part: services.beat(tx, part))  # type: ignore[misc]


def add_flavor(tx: Tx) -> None:
    """Put the samples' flavor into a database."""
    flavors.insert(tx, FLAVOR)
