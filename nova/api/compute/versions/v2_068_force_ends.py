"""2.68: evacuation and live migration can no longer skip the scheduler."""

from __future__ import annotations

from nova.api.compute.versions.base import Change, Was
from nova.api.wsgi.schema_parts import BOOLEAN

CHANGE = Change(
    version="2.68",
    summary="Evacuation and live migration can no longer skip the scheduler.",
    features=("force_ended",),
    drops_request={
        "evacuate.evacuate": {"evacuate.force": Was(BOOLEAN)},
        "migrate_server.os-migrateLive": {"os-migrateLive.force": Was(BOOLEAN)},
    },
)
