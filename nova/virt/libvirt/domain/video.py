"""The graphics card."""

from __future__ import annotations

from nova.virt.libvirt.plan import DomainPlan
from nova.virt.libvirt.xml import Element, element

MODELS = frozenset({"vga", "cirrus", "vmvga", "qxl", "virtio", "bochs", "none"})


def build(plan: DomainPlan) -> list[Element]:
    model = plan.image_property("hw_video_model", plan.look.video_model)
    if plan.look.vnc_listen is None:
        model = "none"
    return [element("video", element("model", type=model if model in MODELS else plan.look.video_model))]
