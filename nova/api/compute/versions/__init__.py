"""The history of the Compute API: one file for each microversion, data only.

Used by nova-api alone.  Handlers and views know the newest version; ``base`` says how it is turned back.  The
list of files is the history: a new version is a new file ``v2_NNN_<what>.py`` with a ``CHANGE``.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil

from nova.api.compute.versions.base import Change, History
from nova.api.wsgi.version import Version

OLDEST = Version(2, 1)


def changes() -> tuple[Change, ...]:
    """Import the version files and return their changes in order."""
    names = [module.name for module in pkgutil.iter_modules(__path__) if module.name.startswith("v2_")]
    found: list[Change] = [importlib.import_module(f"{__name__}.{name}").CHANGE for name in names]
    return tuple(sorted(found, key=lambda change: change.number))


@functools.cache
def history() -> History:
    """Return the history of all released microversions (read once in a process; it never changes)."""
    return History(changes(), OLDEST)
