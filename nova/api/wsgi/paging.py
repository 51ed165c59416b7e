"""Pages of lists: ``limit``, ``marker``, ``offset`` and the link to the next page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from nova.api.wsgi.request import Request
from nova.errors.http import InvalidInput


class PageQuery(NamedTuple):
    """Which part of a list is wanted."""

    limit: int
    marker: str | None
    asked: bool
    """Whether the caller gave a limit at all."""


def page_query(req: Request) -> PageQuery:
    """Read ``limit`` and ``marker``; a limit above the configured one is cut to it, absent means that one."""
    text = req.query.get("limit")
    if text is None or text == "":
        return PageQuery(req.settings.max_limit, req.query.get("marker"), False)
    return PageQuery(min(_whole("limit", text), req.settings.max_limit), req.query.get("marker"), True)


def offset_query(req: Request) -> tuple[int, int]:
    """Read ``limit`` and ``offset`` of the lists that page by number; limit 0 means none given."""
    limit = _whole("limit", req.query.get("limit") or "0")
    offset = _whole("offset", req.query.get("offset") or "0")
    return min(limit or req.settings.max_limit, req.settings.max_limit), offset


def _whole(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        word = "an integer" if not text.lstrip("-").isdigit() else "not negative"
        raise InvalidInput(reason=f"{name} param must be {word}")
    return int(text[:18])


def next_links(
    req: Request, rows: Sequence[Any], limit: int, marker: str | None
) -> list[dict[str, str]] | None:
    """Return the links of a page, or none when this was the last one.

    There is a next page exactly when the rows fill the limit (a last page that is just full still has one).
    ``marker`` is the id of the last row.
    """
    if not rows or marker is None or len(rows) < limit:
        return None
    return req.links.following(req.raw_query, marker)
