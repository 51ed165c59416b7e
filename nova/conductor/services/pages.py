"""Pages of lists that are short enough to be sorted in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from nova.errors.database import MarkerNotFound
from nova.objects.page import Page

T = TypeVar("T")


def after(items: Sequence[T], page: Page, is_marker: Callable[[T, str], bool]) -> list[T]:
    """Return the page that begins after the marker (then after ``offset`` more items).

    Raises ``MarkerNotFound`` when no item is the marker.
    """
    start = 0
    if page.marker is not None:
        found = next((i for i, item in enumerate(items) if is_marker(item, page.marker)), None)
        if found is None:
            raise MarkerNotFound(marker=page.marker)
        start = found + 1
    start += page.offset
    return list(items[start:] if page.limit is None else items[start : start + page.limit])


def ordered(items: Sequence[T], page: Page, keys: dict[str, Callable[[T], Any]], tie: str) -> list[T]:
    """Return the items by the page's sort key (or by ``tie``, which also breaks ties); none goes first."""
    tied = sorted(items, key=keys[tie])
    key = keys.get(page.sort_key or tie, keys[tie])

    def rank(item: T) -> tuple[bool, Any]:
        value = key(item)
        return (value is not None, value if value is not None else 0)

    return sorted(tied, key=rank, reverse=page.sort_dir == "desc")
