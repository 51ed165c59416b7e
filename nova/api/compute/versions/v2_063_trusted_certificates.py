"""2.63: servers may name the certificates that their image must be signed with."""

from __future__ import annotations

from nova.api.compute.versions.base import Change
from nova.api.compute.versions.places import SERVERS, at

CHANGE = Change(
    version="2.63",
    summary="Servers may name the certificates that their image must be signed with.",
    adds_request={
        "servers.create": ("server.trusted_image_certificates",),
        "servers.rebuild": ("rebuild.trusted_image_certificates",),
    },
    adds_response=at(SERVERS, "trusted_image_certificates"),
)
