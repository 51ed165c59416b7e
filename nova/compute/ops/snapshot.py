"""Send a guest's root disk into an image that waits for it."""

from __future__ import annotations

import pathlib

from nova import ids
from nova.compute.ops.attempt import Attempt
from nova.compute.ops.build import power_of
from nova.objects.jobs import Snapshot
from nova.objects.states import Capability, Power, Task
from nova.privsep import files
from nova.virt.capabilities import Snapshots, able

FOLDER = "_snapshots"
"""Below the instances' folder, so that there is room for what a guest's disk holds."""


def snapshot(attempt: Attempt, order: Snapshot) -> Power | None:
    """Capture and upload; an image that is there already (a repeated job) is left as it is."""
    host = attempt.host
    driver, store = able(host.driver, Snapshots, Capability.SNAPSHOT), host.means.images
    if store.show(order.image_id).status == "active":
        return power_of(host, attempt)
    folder = host.means.conf.instances_path / FOLDER
    files.make_private_directory(folder)
    target: pathlib.Path = folder / f"{attempt.instance_id}.{ids.new_uuid()}"
    try:
        attempt.enter(Task.IMAGE_PENDING_UPLOAD)
        driver.snapshot(attempt.instance_id, target, order.disk_format)
        attempt.enter(Task.IMAGE_UPLOADING)
        with target.open("rb") as data:
            store.upload(order.image_id, data)
    finally:
        target.unlink(missing_ok=True)
    return power_of(host, attempt)
