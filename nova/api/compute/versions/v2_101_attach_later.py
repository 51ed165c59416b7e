"""2.101: attaching a volume is answered before it is done."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.101",
    summary="Attaching a volume is answered before it is done.",
    features=("attach_later",),
    drops_response={"volume_attachments.create": ("volumeAttachment",)},
    success={"volume_attachments.create": 200},
)
