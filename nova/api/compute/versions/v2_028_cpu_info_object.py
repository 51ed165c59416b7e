"""2.28: the CPU facts of a hypervisor are an object, not a string of JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from nova.api.compute.versions.base import Change


def as_text(hypervisor: Any) -> None:
    """Write the CPU facts as a string of JSON."""
    facts = hypervisor.get("cpu_info")
    if facts is not None and not isinstance(facts, str):
        hypervisor["cpu_info"] = msgspec.json.encode(facts).decode()


CHANGE = Change(
    version="2.28",
    summary="The CPU facts of a hypervisor are an object, not a string of JSON.",
    step_down={"hypervisors.detail": {"hypervisors[]": as_text}, "hypervisors.show": {"hypervisor": as_text}},
)
