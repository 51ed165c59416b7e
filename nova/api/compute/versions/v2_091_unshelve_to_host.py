"""2.91: unshelving may name a host, or let go of the zone."""

from __future__ import annotations

from nova.api.compute.versions.base import Change, Was
from nova.api.wsgi.schema_parts import NAME

CHANGE = Change(
    version="2.91",
    summary="Unshelving may name a host, or let go of the zone.",
    adds_request={"shelve.unshelve": ("unshelve.host",)},
    alters_request={"shelve.unshelve": {"unshelve.availability_zone": Was(NAME, required=True)}},
)
