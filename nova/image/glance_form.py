"""Glance's JSON (Image API v2) and our values: pure functions."""

from __future__ import annotations

import datetime
from typing import Any

from nova.objects.ids import ImageId
from nova.objects.image import Image, NewImage

MEMBERS = frozenset(
    {
        "id",
        "name",
        "status",
        "disk_format",
        "container_format",
        "size",
        "virtual_size",
        "min_disk",
        "min_ram",
        "checksum",
        "os_hash_algo",
        "os_hash_value",
        "os_hidden",
        "owner",
        "visibility",
        "protected",
        "created_at",
        "updated_at",
        "tags",
        "self",
        "file",
        "schema",
        "locations",
        "direct_url",
        "stores",
    }
)
"""Members of an image that are not properties a user gave it."""


def read_image(found: dict[str, Any]) -> Image:
    """Read an image as Glance shows it; raise ``KeyError`` or ``ValueError`` for what is none."""
    properties = {
        key: value if isinstance(value, str) else str(value)
        for key, value in found.items()
        if key not in MEMBERS and value is not None
    }
    virtual = found.get("virtual_size")
    return Image(
        id=ImageId(found["id"]),
        name=found.get("name") or "",
        status=found.get("status") or "unknown",
        disk_format=found.get("disk_format"),
        container_format=found.get("container_format"),
        size_bytes=int(found.get("size") or 0),
        virtual_size_bytes=None if virtual is None else int(virtual),
        min_disk_gb=int(found.get("min_disk") or 0),
        min_ram_mb=int(found.get("min_ram") or 0),
        checksum=found.get("checksum"),
        hash_algo=found.get("os_hash_algo"),
        hash_value=found.get("os_hash_value"),
        owner=found.get("owner"),
        visibility=found.get("visibility") or "private",
        protected=bool(found.get("protected")),
        properties=properties,
        created_at=_time(found.get("created_at")),
        updated_at=_time(found.get("updated_at")),
    )


def write_image(
    image: NewImage, owner: str, properties: dict[str, str] | None, image_id: str | None
) -> dict[str, Any]:
    """Write the body that makes an image; properties cannot overwrite what belongs to Glance."""
    every = {**image.properties, **(properties or {})}
    body: dict[str, Any] = {key: value for key, value in every.items() if key not in MEMBERS}
    body |= {
        "name": image.name,
        "disk_format": image.disk_format,
        "container_format": image.container_format,
        "min_disk": image.min_disk_gb,
        "min_ram": image.min_ram_mb,
        "visibility": image.visibility,
        "owner": owner,
    }
    if image_id is not None:
        body["id"] = image_id
    return body


def write_patch(before: dict[str, str], after: dict[str, str]) -> list[dict[str, str]]:
    """Write the JSON patch from properties to properties."""
    patch = [
        {"op": "replace" if key in before else "add", "path": _pointer(key), "value": value}
        for key, value in after.items()
        if key not in MEMBERS and before.get(key) != value
    ]
    return patch + [{"op": "remove", "path": _pointer(key)} for key in before if key not in after]


def _pointer(key: str) -> str:
    return "/" + key.replace("~", "~0").replace("/", "~1")


def _time(text: str | None) -> datetime.datetime | None:
    if not text:
        return None
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
