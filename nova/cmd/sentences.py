"""What is told to operators of what went wrong, in one sentence."""

from __future__ import annotations

from nova.db import words
from nova.errors import NovaError


def sentence(error: Exception) -> str | None:
    """Return it, the database's own words first; none for what nobody foresaw."""
    return words.fault(error) or (error.sentence() if isinstance(error, NovaError) else None)
