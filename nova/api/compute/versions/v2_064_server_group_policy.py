"""2.64: a server group has one policy with rules."""

from __future__ import annotations

from typing import Any

from nova.api.compute.versions.base import Change, Json, Was
from nova.api.compute.versions.places import SERVER_GROUPS, at
from nova.api.wsgi.schema_parts import one_of_words


def first_policy(body: Json) -> Json:
    """A group's list of policies held one."""
    group = dict(body["server_group"])
    group["policy"] = group.pop("policies")[0]
    return {**body, "server_group": group}


def as_list(group: Any) -> None:
    """Show the one policy as a list, and the metadata that were always empty."""
    group["policies"] = [group["policy"]] if group.get("policy") else []
    group["metadata"] = {}


CHANGE = Change(
    version="2.64",
    summary="A server group has one policy with rules.",
    adds_request={
        "server_groups.create": (
            "server_group.policy",
            "server_group.rules",
        )
    },
    drops_request={
        "server_groups.create": {
            "server_group.policies": Was(
                {
                    "additionalItems": False,
                    "maxItems": 1,
                    "minItems": 1,
                    "prefixItems": [
                        one_of_words("affinity", "anti-affinity", "soft-affinity", "soft-anti-affinity")
                    ],
                    "type": "array",
                    "uniqueItems": True,
                },
                required=True,
            )
        }
    },
    adds_response=at(SERVER_GROUPS, "policy", "rules"),
    drops_response=at(SERVER_GROUPS, "metadata", "policies"),
    lift={"server_groups.create": first_policy},
    step_down={
        "server_groups.index": {"server_groups[]": as_list},
        "server_groups.create": {"server_group": as_list},
        "server_groups.show": {"server_group": as_list},
    },
)
