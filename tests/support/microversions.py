"""The microversions there are, for tests that ask at all of them, or at the newest."""

from __future__ import annotations

from nova.api.compute import versions
from nova.api.wsgi.version import Version

_HISTORY = versions.history()

EVERY: tuple[Version, ...] = tuple(
    Version(_HISTORY.newest.major, minor) for minor in range(_HISTORY.oldest.minor, _HISTORY.newest.minor + 1)
)
NEWEST = str(_HISTORY.newest)
