"""Size of the guest's memory."""

from __future__ import annotations

from nova.virt.libvirt.plan import DomainPlan
from nova.virt.libvirt.xml import Element, element


def build(plan: DomainPlan) -> list[Element]:
    kib = plan.spec.flavor.ram_mb * 1024
    return [
        element("memory", text=kib, unit="KiB"),
        element("currentMemory", text=kib, unit="KiB"),
    ]
