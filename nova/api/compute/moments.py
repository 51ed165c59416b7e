"""How moments are written in answers."""

from __future__ import annotations

import datetime


def micros(moment: datetime.datetime | None) -> str | None:
    """Return ``YYYY-MM-DDTHH:MM:SS.ffffff`` in UTC without offset, as most resources show it."""
    return None if moment is None else _utc(moment).isoformat(timespec="microseconds")[:26]


def whole(moment: datetime.datetime | None) -> str | None:
    """Return ``YYYY-MM-DDTHH:MM:SSZ``, as servers and images show it."""
    return None if moment is None else f"{_utc(moment).isoformat()[:19]}Z"


def _utc(moment: datetime.datetime) -> datetime.datetime:
    if moment.tzinfo is None or moment.tzinfo is datetime.UTC:
        return moment
    return moment.astimezone(datetime.UTC)
