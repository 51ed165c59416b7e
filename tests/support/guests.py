"""Builders of guests, interfaces and jobs for tests."""

from __future__ import annotations

import base64
import uuid
from typing import Any

from nova.objects.block_device import BlockDevice, Source
from nova.objects.flavor import Flavor
from nova.objects.guest import GuestSpec
from nova.objects.ids import FlavorId, ImageId, InstanceId, JobId, NetworkId, ProjectId, UserId, VifId
from nova.objects.image import Image
from nova.objects.jobs import Act, Build, Destroy, Job, Order
from nova.objects.network import Vif

IMAGE_ID = ImageId("11111111-1111-4111-8111-111111111111")
NETWORK_ID = NetworkId("22222222-2222-4222-8222-222222222222")


def an_id(number: int) -> InstanceId:
    """Return the same instance id for the same number."""
    return InstanceId(str(uuid.UUID(int=0x1000000000004000A000000000000000 + number)))


def a_vif(number: int, **changes: Any) -> Vif:
    """Return an interface whose MAC and address follow from its number (below 60,000)."""
    values: dict[str, Any] = {
        "id": VifId(str(uuid.UUID(int=0x2000000000004000A000000000000000 + number))),
        "mac": f"fa:16:3e:00:{number // 256:02x}:{number % 256:02x}",
        "network_id": NETWORK_ID,
        "label": "private",
        "addresses": (f"10.0.{number // 250}.{number % 250 + 3}",),
        "cidr": "10.0.0.0/16",
        "gateway": "10.0.0.1",
        "dns": ("10.0.0.1",),
        "dhcp_server": "10.0.0.1",
        "bridge": "br100",
    }
    return Vif(**(values | changes))


def a_guest(number: int = 1, **changes: Any) -> GuestSpec:
    """Return a guest with one disk and one interface, all following from its number."""
    values: dict[str, Any] = {
        "id": an_id(number),
        "name": f"server {number}",
        "hostname": f"server-{number}",
        "project_id": ProjectId("p1"),
        "user_id": UserId("u1"),
        "flavor": Flavor(id=FlavorId("1"), name="m1.tiny", vcpus=1, ram_mb=512, root_gb=1),
        "image": Image(id=IMAGE_ID, name="tiny", disk_format="raw", container_format="bare"),
        "block_devices": (
            BlockDevice(
                id=f"root-{number}",
                source=Source.IMAGE,
                boot_index=0,
                size_gb=1,
                device_name="/dev/vda",
                image_id=IMAGE_ID,
            ),
        ),
        "vifs": (a_vif(number),),
        "reservation_id": "r-abcdefgh",
        "availability_zone": "nova",
    }
    return GuestSpec(**(values | changes))


def a_job(number: int, order: Order, *, fence: int = 1, step: str = "build", attempt: int = 1) -> Job:
    """Return a job for the instance of that number."""
    job_id = JobId(f"w{number}-{fence}:{step}:{attempt}:0")
    return Job(id=job_id, instance_id=an_id(number), fence=fence, order=order)


def a_build(number: int, *, fence: int = 1, attempt: int = 1, **changes: Any) -> Job:
    """Return a build job."""
    return a_job(number, Build(guest=a_guest(number, **changes)), fence=fence, attempt=attempt)


def a_destroy(number: int, *, fence: int = 2, reason: str = "req-test") -> Job:
    """Return a destroy job."""
    return a_job(number, Destroy(reason=reason), fence=fence, step="destroy")


def an_act(number: int, action: str, *, fence: int = 3, **changes: Any) -> Job:
    """Return an action job that carries the guest."""
    return a_job(number, Act(action=action, guest=a_guest(number), **changes), fence=fence, step=action)


def b64(text: str) -> str:
    """Return text as base64."""
    return base64.b64encode(text.encode()).decode()
