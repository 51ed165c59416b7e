"""2.51: volumes may report that they grew; owners see the events of their actions."""

from __future__ import annotations

from nova.api.compute.versions.base import Change, Was
from nova.api.wsgi.schema_parts import one_of_words

CHANGE = Change(
    version="2.51",
    summary="Volumes may report that they grew; owners see the events of their actions.",
    features=("action_events_for_owners",),
    alters_request={
        "server_external_events.create": {
            "events[].name": Was(
                one_of_words(
                    "network-changed", "network-vif-deleted", "network-vif-plugged", "network-vif-unplugged"
                ),
                required=True,
            )
        }
    },
)
