"""2.85: an attachment may change whether the volume dies with the server."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.85",
    summary="An attachment may change whether the volume dies with the server.",
    adds_request={
        "volume_attachments.update": (
            "volumeAttachment.delete_on_termination",
            "volumeAttachment.device",
            "volumeAttachment.id",
            "volumeAttachment.serverId",
            "volumeAttachment.tag",
        )
    },
)
