"""The pointer on the screen."""

from __future__ import annotations

from nova.virt.libvirt.plan import DomainPlan
from nova.virt.libvirt.xml import Element, element


def build(plan: DomainPlan) -> list[Element]:
    if (
        plan.look.vnc_listen is None
        or plan.image_property("hw_pointer_model", plan.look.pointer_model) != "usbtablet"
    ):
        return []
    return [element("input", type="tablet", bus="usb")]
