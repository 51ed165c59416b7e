"""Microversion numbers: pairs of integers, so that 2.10 comes after 2.9."""

from __future__ import annotations

import re
from typing import NamedTuple

from nova.errors.http import MalformedVersion

_FORM = re.compile(r"([1-9]\d*)\.([1-9]\d*|0)", re.ASCII)


class Version(NamedTuple):
    """One microversion; compares as a pair of numbers."""

    major: int
    minor: int

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read ``X.Y``; raise :class:`MalformedVersion` for anything else (also ``2.01`` and ``latest``)."""
        match = _FORM.fullmatch(text)
        if match is None or len(text) > 20:
            raise MalformedVersion(text=text[:255])
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


LEGACY = Version(2, 0)
"""Stands for the ``/v2`` endpoint, which knows no microversions; it is never announced as one."""


def asked_version(new_header: str | None, old_header: str | None) -> str | None:
    """Return the text of the version asked for, or nothing.

    ``new_header`` is ``OpenStack-API-Version`` (several services, comma separated; only ``compute`` counts),
    ``old_header`` is ``X-OpenStack-Nova-API-Version``, used when the new one names no ``compute``.
    """
    if new_header:
        for part in new_header.split(","):
            words = part.split()
            if words and words[0].lower() == "compute":
                return " ".join(words[1:])
    if old_header is not None:
        return old_header.strip()
    return None
