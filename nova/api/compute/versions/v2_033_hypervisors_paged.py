"""2.33: hypervisors are listed in pages; block device tags are refused by accident."""

from __future__ import annotations

from nova.api.compute.versions.base import Change, Was
from nova.api.wsgi.schema_parts import TAG

CHANGE = Change(
    version="2.33",
    summary="Hypervisors are listed in pages; block device tags are refused by accident.",
    features=("hypervisors_paged",),
    adds_query={
        "hypervisors.detail": (
            "limit",
            "marker",
        ),
        "hypervisors.index": (
            "limit",
            "marker",
        ),
    },
    drops_request={"servers.create": {"server.block_device_mapping_v2[].tag": Was(TAG)}},
    adds_response={"hypervisors.index": ("hypervisors_links",), "hypervisors.detail": ("hypervisors_links",)},
)
