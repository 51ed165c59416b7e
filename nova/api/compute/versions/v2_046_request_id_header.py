"""2.46: the header x-openstack-request-id is returned."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.46",
    summary="The header x-openstack-request-id is returned.",
)
