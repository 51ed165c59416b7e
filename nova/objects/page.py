"""A page request of the simpler lists."""

from __future__ import annotations

from nova.objects.base import Value


class Page(Value, frozen=True, kw_only=True):
    """Which part of a list is wanted."""

    limit: int | None = None
    marker: str | None = None
    offset: int = 0
    sort_key: str | None = None
    sort_dir: str = "asc"
