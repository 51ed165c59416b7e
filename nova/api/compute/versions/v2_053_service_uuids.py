"""2.53: services and hypervisors go by uuid; searching them is a query."""

from __future__ import annotations

from typing import Any

from nova.api.compute.versions.base import Change, Was
from nova.api.compute.versions.places import HYPERVISORS, at, join
from nova.api.wsgi.schema_parts import HOST, NON_NEGATIVE, STRING, many


def by_number(thing: Any) -> None:
    """Services and hypervisors had small numbers as ids."""
    if "number" in thing:
        thing["id"] = thing.pop("number")


_NUMBERED = {
    "services.index": "services[]",
    "services.update": "service",
    "hypervisors.index": "hypervisors[]",
    "hypervisors.detail": "hypervisors[]",
    "hypervisors.show": "hypervisor",
    "hypervisors.search": "hypervisors[]",
    "hypervisors.servers": "hypervisors[]",
    "hypervisors.uptime": "hypervisor",
}
_SERVICES = {"hypervisors.detail": "hypervisors[].service", "hypervisors.show": "hypervisor.service"}

CHANGE = Change(
    version="2.53",
    summary="Services and hypervisors go by uuid; searching them is a query.",
    features=("service_uuids",),
    ends_operations=(
        "hypervisors.search",
        "hypervisors.servers",
    ),
    closes_query=(
        "hypervisors.detail",
        "hypervisors.index",
        "hypervisors.show",
    ),
    adds_request={"services.update": ("status",)},
    adds_query={
        "hypervisors.detail": (
            "hypervisor_hostname_pattern",
            "with_servers",
        ),
        "hypervisors.index": (
            "hypervisor_hostname_pattern",
            "with_servers",
        ),
        "hypervisors.show": ("with_servers",),
    },
    drops_request={
        "services.update": {
            "binary": Was({"maxLength": 255, "minLength": 1, "type": "string"}, required=True),
            "host": Was(HOST, required=True),
        }
    },
    alters_query={
        "hypervisors.detail": {"limit": Was(many(NON_NEGATIVE)), "marker": Was(many(STRING))},
        "hypervisors.index": {"limit": Was(many(NON_NEGATIVE)), "marker": Was(many(STRING))},
    },
    adds_response=join(
        at(HYPERVISORS, "servers"),
        {
            "hypervisors.index": ("hypervisors[].servers",),
            "hypervisors.uptime": ("hypervisor.servers",),
            "services.update": (
                "service.id",
                "service.state",
                "service.updated_at",
                "service.zone",
            ),
        },
    ),
    drops_response=join(
        {name: (f"{path}.number",) for name, path in _NUMBERED.items()},
        {name: (f"{path}.number",) for name, path in _SERVICES.items()},
    ),
    step_down={
        name: {
            path: by_number,
            **({_SERVICES[name]: by_number} if name in _SERVICES else {}),
        }
        for name, path in _NUMBERED.items()
    },
)
