"""What an image that is made of a server says of where it comes from; pure."""

from __future__ import annotations

import msgspec

from nova.context import RequestContext
from nova.objects.image import NewImage
from nova.objects.instance import Instance

_NOT_HANDED_ON = frozenset(
    {
        "bittorrent",
        "cache_in_nova",
        "cinder_encryption_key_deletion_policy",
        "cinder_encryption_key_id",
        "img_signature",
        "img_signature_certificate_uuid",
        "img_signature_hash_method",
        "img_signature_key_type",
        "owner_specified.openstack.md5",
        "owner_specified.openstack.object",
        "owner_specified.openstack.sha256",
        "signature_verified",
    }
)
"""Properties that speak of the base image's own bytes."""
_OF_GLANCE = "os_glance_"
"""Glance keeps these properties to itself and refuses images that come with them."""


def described(image: NewImage, instance: Instance, ctx: RequestContext) -> NewImage:
    """Return an image with what its guests need and what clients look for.

    It has the properties of the image that the server was booted from (what hardware the system needs), then
    those that the user gave, then whence it is: ``image_type``, ``instance_uuid``, ``base_image_ref``,
    ``user_id``, ``owner_id``.  Its disk is as large as the server's.
    """
    base = instance.image
    inherited = {
        key: value
        for key, value in (base.properties if base is not None else {}).items()
        if key not in _NOT_HANDED_ON and not key.startswith(_OF_GLANCE)
    }
    whence = {
        "image_type": "snapshot",
        "instance_uuid": instance.id,
        "user_id": ctx.user_id,
        "owner_id": ctx.project_id,
    }
    if base is not None:
        whence["base_image_ref"] = base.id
    root = next((device.size_gb for device in instance.block_devices if device.is_root), 0)
    return msgspec.structs.replace(
        image,
        properties=inherited | image.properties | whence,
        min_disk_gb=max(image.min_disk_gb, root or instance.flavor.root_gb),
        min_ram_mb=max(image.min_ram_mb, base.min_ram_mb if base is not None else 0),
    )
