"""Every door of the Compute API, found in the registry: a new operation is tested the day it is written.

Other mouths (EC2) join by adding to :func:`doors`; what is generated from doors then covers them.
"""

from __future__ import annotations

from functools import cache

from nova.api.compute import registry, versions
from nova.api.compute.discovery import Discovery
from nova.api.wsgi.editions import Editions
from nova.api.wsgi.operation import Operation
from nova.api.wsgi.version import Version
from nova.conf.api import ApiConf
from tests.support.microversions import NEWEST

FUZZED = tuple(Version.parse(text) for text in (NEWEST, "2.96", "2.75", "2.53", "2.25", "2.1"))


@cache
def editions() -> Editions:
    """Return all operations at all versions."""
    history = versions.history()
    own = Discovery(history.oldest, history.newest, ApiConf()).operations()
    return Editions((*own, *registry.operations()), history)


def doors(version: Version) -> tuple[Operation, ...]:
    """Return the operations that exist at a version."""
    return tuple(o for o in registry.operations() if not o.gone and editions().alive(o, version))


def newest_version(operation: Operation) -> Version:
    """Return the newest version that has an operation."""
    _, until = editions().lifetime(operation)
    return until or versions.history().newest
