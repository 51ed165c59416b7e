"""Does the request fit together?  Pure."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping

from nova.errors.servers import CertificatesUnsupported, FlavorTooSmall, ImageNotActive, QuotaExceededSimply
from nova.objects.flavor import Flavor
from nova.objects.image import Image
from nova.objects.instance import BootWish

GIB = 1 << 30


def check(wish: BootWish, flavor: Flavor, image: Image | None, limits: dict[str, int]) -> None:
    """Raise what is wrong with image, flavor and sizes together."""
    if image is not None:
        _check_image(flavor, image)
    most = limits.get("metadata_items", -1)
    if 0 <= most < len(wish.metadata):
        raise QuotaExceededSimply(reason=f"Maximum number of metadata items exceeds {most}")
    _check_files(wish.personality, limits)
    if wish.trusted_certs:
        raise CertificatesUnsupported()


def _check_files(files: Mapping[str, str], limits: Mapping[str, int]) -> None:
    """Hold injected files (path to base64) against limits of their number, names and sizes."""
    asked = {
        "injected_files": ("Personality file limit exceeded", len(files)),
        "injected_file_path_bytes": (
            "Personality file path exceeds maximum length",
            max((len(path.encode()) for path in files), default=0),
        ),
        "injected_file_content_bytes": (
            "Personality file content limit exceeded",
            max((len(base64.b64decode(content)) for content in files.values()), default=0),
        ),
    }
    for resource, (sentence, size) in asked.items():
        if 0 <= limits.get(resource, -1) < size:
            raise QuotaExceededSimply(reason=sentence)


def _check_image(flavor: Flavor, image: Image) -> None:
    if image.status != "active":
        raise ImageNotActive(id=image.id)
    if image.min_ram_mb > flavor.ram_mb:
        raise FlavorTooSmall(
            resource="memory", reason=f"It needs {image.min_ram_mb} MB, the flavor has {flavor.ram_mb}."
        )
    if flavor.root_gb:
        if image.min_disk_gb > flavor.root_gb:
            raise FlavorTooSmall(
                resource="disk", reason=f"It needs {image.min_disk_gb} GB, the flavor has {flavor.root_gb}."
            )
        size = image.virtual_size_bytes or image.size_bytes
        if size > flavor.root_gb * GIB:
            raise FlavorTooSmall(
                resource="disk", reason=f"It holds {size} bytes, the flavor has {flavor.root_gb} GB."
            )


def hostname_of(name: str, instance_id: str) -> str:
    """Return a host name (RFC 1123, at most 63 characters) made of a display name."""
    text = re.sub(r"[ _.]", "-", name.strip().lower())
    text = re.sub(r"[^a-z0-9-]", "", text).strip("-")[:63].strip("-")
    return text or f"server-{instance_id}"
