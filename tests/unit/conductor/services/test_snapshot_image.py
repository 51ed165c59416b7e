"""Images made of servers say whence they are, and hand on what their guests need."""

from __future__ import annotations

from nova.conductor.services.snapshot_image import described
from nova.context import RequestContext
from nova.objects.block_device import BlockDevice, Source
from nova.objects.image import Image, NewImage
from tests.unit.conductor.services.makers import flavor, instance

BASE = Image(
    id="155d900f-4e14-4e4c-a73d-069cbf4541e6",
    min_ram_mb=256,
    properties={
        "hw_disk_bus": "scsi",
        "os_type": "linux",
        "img_signature": "of other bytes",
        "os_glance_import_task": "x",
        "owner_specified.openstack.md5": "x",
        "instance_uuid": "of the server that the base was made of",
        "base_image_ref": "of its base",
    },
)
WHENCE = ("image_type", "instance_uuid", "base_image_ref", "user_id", "owner_id")


def test_a_snapshot_says_whence_it_is(ctx: RequestContext) -> None:
    server = instance(image=BASE)
    made = described(NewImage(name="shot", properties={"why": "test", "image_type": "lie"}), server, ctx)
    assert {word: made.properties[word] for word in WHENCE} == {
        "image_type": "snapshot",
        "instance_uuid": server.id,
        "base_image_ref": BASE.id,
        "user_id": ctx.user_id,
        "owner_id": ctx.project_id,
    }
    rest = {key: value for key, value in made.properties.items() if key not in WHENCE}
    assert rest == {"hw_disk_bus": "scsi", "os_type": "linux", "why": "test"}


def test_what_the_user_says_wins_over_the_base(ctx: RequestContext) -> None:
    made = described(NewImage(name="shot", properties={"os_type": "bsd"}), instance(image=BASE), ctx)
    assert made.properties["os_type"] == "bsd"


def test_it_needs_a_disk_as_large_as_its_own(ctx: RequestContext) -> None:
    server = instance(image=BASE, flavor=flavor(root_gb=20))
    assert (described(NewImage(name="s"), server, ctx).min_disk_gb, BASE.min_disk_gb) == (20, 0)
    assert described(NewImage(name="s"), server, ctx).min_ram_mb == 256
    root = BlockDevice(id="d", source=Source.IMAGE, boot_index=0, size_gb=5, image_id=BASE.id)
    server = instance(image=BASE, flavor=flavor(root_gb=20), block_devices=(root,))
    assert described(NewImage(name="s"), server, ctx).min_disk_gb == 5


def test_a_server_without_image_has_no_base(ctx: RequestContext) -> None:
    assert "base_image_ref" not in described(NewImage(name="s"), instance(image=None), ctx).properties
