"""2.39: the image metadata proxy ends, and with it the quota on it."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.39",
    summary="The image metadata proxy ends, and with it the quota on it.",
    features=("image_metadata_unlimited",),
    ends_operations=(
        "image_metadata.create",
        "image_metadata.delete",
        "image_metadata.index",
        "image_metadata.show",
        "image_metadata.update",
        "image_metadata.update_all",
    ),
    drops_response={"limits.index": ("limits.absolute.maxImageMeta",)},
)
