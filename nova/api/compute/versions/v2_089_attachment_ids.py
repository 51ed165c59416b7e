"""2.89: attachments show the ids of attachment and block device."""

from __future__ import annotations

from nova.api.compute.versions.base import Change
from nova.api.compute.versions.places import ATTACHMENT_READS, at

CHANGE = Change(
    version="2.89",
    summary="Attachments show the ids of attachment and block device.",
    adds_response=at(ATTACHMENT_READS, "attachment_id", "bdm_uuid"),
    drops_response=at(ATTACHMENT_READS, "id"),
)
