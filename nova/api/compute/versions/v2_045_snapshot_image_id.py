"""2.45: snapshots return the image id in the body, not in a header."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.45",
    summary="Snapshots return the image id in the body, not in a header.",
    features=("snapshot_image_id",),
    adds_response={"create_backup.createBackup": ("image_id",), "servers.createImage": ("image_id",)},
)
