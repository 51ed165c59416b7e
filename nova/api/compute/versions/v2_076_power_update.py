"""2.76: power changes may be reported from outside."""

from __future__ import annotations

from nova.api.compute.versions.base import Change, Was
from nova.api.wsgi.schema_parts import one_of_words

CHANGE = Change(
    version="2.76",
    summary="Power changes may be reported from outside.",
    alters_request={
        "server_external_events.create": {
            "events[].name": Was(
                one_of_words(
                    "network-changed",
                    "network-vif-deleted",
                    "network-vif-plugged",
                    "network-vif-unplugged",
                    "volume-extended",
                ),
                required=True,
            )
        }
    },
)
