"""2.15: server groups know soft affinity and soft anti-affinity."""

from __future__ import annotations

from nova.api.compute.versions.base import Change, Was
from nova.api.wsgi.schema_parts import one_of_words

CHANGE = Change(
    version="2.15",
    summary="Server groups know soft affinity and soft anti-affinity.",
    alters_request={
        "server_groups.create": {
            "server_group.policies": Was(
                {
                    "additionalItems": False,
                    "maxItems": 1,
                    "minItems": 1,
                    "prefixItems": [one_of_words("affinity", "anti-affinity")],
                    "type": "array",
                    "uniqueItems": True,
                },
                required=True,
            )
        }
    },
)
