"""2.35: key pairs are listed in pages, sorted by name."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.35",
    summary="Key pairs are listed in pages, sorted by name.",
    features=("keypairs_paged",),
    adds_query={
        "keypairs.index": (
            "limit",
            "marker",
        )
    },
    adds_response={"keypairs.index": ("keypairs_links",)},
)
