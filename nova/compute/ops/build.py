"""Bring a guest up, or leave no trace and say why."""

from __future__ import annotations

import contextlib
import logging

from nova.compute.host import Host
from nova.compute.ops.attempt import Attempt, Unclear
from nova.errors import NovaError
from nova.objects.block_device import Destination, Source
from nova.objects.guest import GuestSpec
from nova.objects.ids import ImageId
from nova.objects.image import BOOT_FILES
from nova.objects.jobs import Build
from nova.objects.states import Power, Task
from nova.virt.base import Material

LOG = logging.getLogger(__name__)

_NOTHING = Material()


def build(attempt: Attempt, order: Build) -> Power | None:
    """Build the guest; return what it is then."""
    host, spec = attempt.host, order.guest
    with contextlib.ExitStack() as after:
        material = _NOTHING
        if host.needs_images:
            attempt.enter(Task.BLOCK_DEVICE_MAPPING)
            material = _material(host, spec, after)
        attempt.enter(Task.SPAWNING)
        try:
            host.driver.spawn(spec, material)
        except Exception as error:  # whatever it met, nothing may stay behind; raised again
            _clean_up(attempt, error)
            raise
    return power_of(host, attempt)


def power_of(host: Host, attempt: Attempt) -> Power | None:
    """Read what the guest is; none when that cannot be read now."""
    try:
        return host.driver.power_state(attempt.instance_id)
    except NovaError as error:
        LOG.warning("the power state of a guest cannot be read: %s", error)
        return None


def _clean_up(attempt: Attempt, cause: Exception) -> None:
    """Take away what a failed build may have left; raise ``Unclear`` if that fails too."""
    try:
        attempt.host.driver.destroy(attempt.instance_id, f"undo of job {attempt.job.id}")
    except Exception as error:  # the failure of the build is what matters; that this failed too is noted
        LOG.error("what a failed build left could not be taken away: %s", error)
        raise Unclear from cause


def _material(host: Host, spec: GuestSpec, after: contextlib.ExitStack) -> Material:
    """Bring the files that the build needs to this host."""
    images, formats = {}, {}
    for image_id in _images(spec):
        found = spec.image if spec.image is not None and spec.image.id == image_id else None
        cached = host.means.cache.fetch(image_id, found, host.name, most_bytes=_room(spec, image_id))
        images[image_id], formats[image_id] = cached.path, cached.format
    drive = None
    if spec.config_drive or host.means.conf.force_config_drive:
        drive = host.means.drives.make(spec)
        after.callback(drive.unlink, missing_ok=True)
    return Material(images=images, formats=formats, config_drive=drive)


def _room(spec: GuestSpec, image_id: ImageId) -> int | None:
    """Return the size of the largest disk that is made of an image; none if the image decides."""
    sizes = [
        spec.flavor.root_gb << 30 if device.is_root else device.size_gb << 30
        for device in spec.block_devices
        if device.image_id == image_id or (device.is_root and spec.image and spec.image.id == image_id)
    ]
    return max(sizes) if sizes and all(sizes) else None


def _images(spec: GuestSpec) -> list[ImageId]:
    """Name every image of which the host needs the bytes."""
    local = [
        device.image_id
        for device in spec.block_devices
        if device.source is Source.IMAGE and device.destination is Destination.LOCAL and device.image_id
    ]
    if spec.image is not None:
        root = next((device for device in spec.block_devices if device.is_root), None)
        if root is None or root.destination is Destination.LOCAL:
            local.append(spec.image.id)
        properties = spec.image.properties
        local += [ImageId(properties[word]) for word in BOOT_FILES if properties.get(word)]
    return list(dict.fromkeys(local))
