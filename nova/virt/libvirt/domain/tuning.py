"""Shares and ceilings that a flavor sets (its extra specs ``quota:...``)."""

from __future__ import annotations

from nova.virt.libvirt.plan import DomainPlan
from nova.virt.libvirt.xml import Element, element

_CPU = ("shares", "period", "quota")
_DISK = tuple(f"{way}_{what}_sec" for way in ("read", "write", "total") for what in ("bytes", "iops"))
_WAYS = ("inbound", "outbound")
_FLOWS = ("average", "peak", "burst")


def build(plan: DomainPlan) -> Element | None:
    """Return the processor's part."""
    return _numbers("cputune", {word: quota(plan, f"cpu_{word}") for word in _CPU})


def disk(plan: DomainPlan) -> Element | None:
    """Return a disk's part."""
    return _numbers("iotune", {word: quota(plan, f"disk_{word}") for word in _DISK})


def nic(plan: DomainPlan) -> Element | None:
    """Return an interface's part, in KiB a second (burst: KiB)."""
    flows = []
    for way in _WAYS:
        values = {word: quota(plan, f"vif_{way}_{word}") for word in _FLOWS}
        # libvirt has no peak or burst without an average.
        if values["average"]:
            flows.append(element(way, **{word: value for word, value in values.items() if value}))
    return element("bandwidth", *flows) if flows else None


def quota(plan: DomainPlan, name: str) -> int:
    """Return a ``quota:`` extra spec; 0 where it is missing or no number."""
    word = plan.spec.flavor.extra_specs.get(f"quota:{name}", "")
    return int(word) if word.isdecimal() else 0


def _numbers(tag: str, values: dict[str, int]) -> Element | None:
    found = [element(name, text=value) for name, value in values.items() if value]
    return element(tag, *found) if found else None
