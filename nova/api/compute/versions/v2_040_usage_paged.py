"""2.40: usage reports come in pages."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.40",
    summary="Usage reports come in pages.",
    features=("usage_paged",),
    adds_query={
        "simple_tenant_usage.index": (
            "limit",
            "marker",
        ),
        "simple_tenant_usage.show": (
            "limit",
            "marker",
        ),
    },
    adds_response={
        "simple_tenant_usage.index": ("tenant_usages_links",),
        "simple_tenant_usage.show": ("tenant_usage_links",),
    },
)
