"""How moments are written in answers."""

from __future__ import annotations

import datetime


def micros(moment: datetime.datetime | None) -> str | None:
    """Return ``YYYY-MM-DDTHH:MM:SS.ffffff`` in UTC without offset, as most resources show it."""
    if moment is None:
        return None
    if moment.tzinfo is not None:
        moment = moment.astimezone(datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")


def whole(moment: datetime.datetime | None) -> str | None:
    """Return ``YYYY-MM-DDTHH:MM:SSZ``, as servers and images show it."""
    if moment is None:
        return None
    if moment.tzinfo is not None:
        moment = moment.astimezone(datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
