"""2.99: sPICE consoles without proxy."""

from __future__ import annotations

from nova.api.compute.versions.base import Change, Was
from nova.api.wsgi.schema_parts import one_of_words

CHANGE = Change(
    version="2.99",
    summary="SPICE consoles without proxy.",
    closes_query=("console_auth_tokens.show",),
    alters_request={
        "remote_consoles.create": {
            "remote_console.type": Was(
                one_of_words("novnc", "rdp-html5", "serial", "spice-html5", "webmks", "xvpvnc"), required=True
            )
        }
    },
    adds_response={"console_auth_tokens.show": ("console.tls_port",)},
)
