"""2.5: everybody may filter servers by IPv6 address."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.5",
    summary="Everybody may filter servers by IPv6 address.",
    features=("filter_by_ip6",),
)
