"""2.82: accelerators report that they are bound."""

from __future__ import annotations

from nova.api.compute.versions.base import Change, Was
from nova.api.wsgi.schema_parts import one_of_words

CHANGE = Change(
    version="2.82",
    summary="Accelerators report that they are bound.",
    alters_request={
        "server_external_events.create": {
            "events[].name": Was(
                one_of_words(
                    "network-changed",
                    "network-vif-deleted",
                    "network-vif-plugged",
                    "network-vif-unplugged",
                    "power-update",
                    "volume-extended",
                ),
                required=True,
            )
        }
    },
)
