"""2.16: servers show the status of their host to those allowed."""

from __future__ import annotations

from nova.api.compute.versions.base import Change
from nova.api.compute.versions.places import SERVER_READS, at

CHANGE = Change(
    version="2.16",
    summary="Servers show the status of their host to those allowed.",
    adds_response=at(SERVER_READS, "host_status"),
)
