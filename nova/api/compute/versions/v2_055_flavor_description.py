"""2.55: flavors have a description that can be changed."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.55",
    summary="Flavors have a description that can be changed.",
    adds_operations=("flavors.update",),
    adds_request={"flavors.create": ("flavor.description",)},
    adds_response={
        "flavors.index": ("flavors[].description",),
        "flavors.create": ("flavor.description",),
        "flavors.detail": ("flavors[].description",),
        "flavors.show": ("flavor.description",),
    },
)
