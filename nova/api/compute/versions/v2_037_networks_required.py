"""2.37: a new server must say what networks it wants, if only auto or none."""

from __future__ import annotations

from nova.api.compute.versions.base import Change, Json, Was
from nova.api.wsgi.schema_parts import STRING, TAG, closed, many


def any_networks(body: Json) -> Json:
    """Who asked for nothing got what there was."""
    return {**body, "server": {"networks": "auto", **body["server"]}}


CHANGE = Change(
    version="2.37",
    summary="A new server must say what networks it wants, if only auto or none.",
    features=("networks_required",),
    alters_request={
        "servers.create": {
            "server.networks": Was(
                many(
                    closed(
                        {
                            "fixed_ip": {"oneOf": [{"format": "ipv4"}, {"format": "ipv6"}], "type": "string"},
                            "port": {"format": "uuid", "type": ["string", "null"]},
                            "tag": TAG,
                            "uuid": STRING,
                        }
                    )
                )
            )
        }
    },
    lift={"servers.create": any_networks},
)
