"""2.49: interfaces and volumes may have a tag when they are attached."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.49",
    summary="Interfaces and volumes may have a tag when they are attached.",
    adds_request={
        "attach_interfaces.create": ("interfaceAttachment.tag",),
        "volume_attachments.create": ("volumeAttachment.tag",),
    },
)
