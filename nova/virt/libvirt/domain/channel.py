"""The line to an agent inside the guest, where the image says that it has one."""

from __future__ import annotations

from nova.virt.libvirt.plan import DomainPlan
from nova.virt.libvirt.xml import Element, element

_NAME = "org.qemu.guest_agent.0"


def build(plan: DomainPlan) -> Element | None:
    if plan.image_property("hw_qemu_guest_agent", "no").lower() not in ("yes", "true", "1"):
        return None
    # libvirt chooses the path of the socket.
    return element(
        "channel", element("source", mode="bind"), element("target", type="virtio", name=_NAME), type="unix"
    )
