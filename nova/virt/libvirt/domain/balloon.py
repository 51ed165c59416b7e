"""The memory balloon, for its statistics."""

from __future__ import annotations

from nova.virt.libvirt.plan import DomainPlan
from nova.virt.libvirt.xml import Element, element


def build(plan: DomainPlan) -> Element:
    period = plan.look.mem_stats_period
    return element("memballoon", element("stats", period=period) if period else None, model="virtio")
