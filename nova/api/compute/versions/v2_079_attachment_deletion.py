"""2.79: an attached volume says, and is told, whether it dies with the server."""

from __future__ import annotations

from nova.api.compute.versions.base import Change
from nova.api.compute.versions.places import ATTACHMENTS, at

CHANGE = Change(
    version="2.79",
    summary="An attached volume says, and is told, whether it dies with the server.",
    adds_request={"volume_attachments.create": ("volumeAttachment.delete_on_termination",)},
    adds_response=at(ATTACHMENTS, "delete_on_termination"),
)
