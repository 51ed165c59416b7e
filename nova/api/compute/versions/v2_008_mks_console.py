"""2.8: consoles of protocol mks."""

from __future__ import annotations

from nova.api.compute.versions.base import Change, Was
from nova.api.wsgi.schema_parts import one_of_words

CHANGE = Change(
    version="2.8",
    summary="Consoles of protocol mks.",
    alters_request={
        "remote_consoles.create": {
            "remote_console.protocol": Was(one_of_words("rdp", "serial", "spice", "vnc"), required=True),
            "remote_console.type": Was(
                one_of_words("novnc", "rdp-html5", "serial", "spice-html5", "xvpvnc"), required=True
            ),
        }
    },
)
