"""A watchdog, where the flavor or the image wants one."""

from __future__ import annotations

from nova.virt.libvirt.plan import DomainPlan
from nova.virt.libvirt.xml import Element, element

_ACTIONS = ("reset", "poweroff", "pause", "none")


def build(plan: DomainPlan) -> Element | None:
    wished = plan.spec.flavor.extra_specs.get("hw:watchdog_action", "disabled")
    action = plan.image_property("hw_watchdog_action", wished)
    return element("watchdog", model="i6300esb", action=action) if action in _ACTIONS else None
