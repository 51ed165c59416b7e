"""2.93: servers on volumes can be rebuilt with another image."""

from __future__ import annotations

from nova.api.compute.versions.base import Change, Was
from nova.api.wsgi.schema_parts import one_of_words

CHANGE = Change(
    version="2.93",
    summary="Servers on volumes can be rebuilt with another image.",
    features=("rebuild_volume_backed",),
    alters_request={
        "server_external_events.create": {
            "events[].name": Was(
                one_of_words(
                    "accelerator-request-bound",
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
