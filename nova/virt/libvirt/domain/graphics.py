"""The VNC screen; libvirt chooses a free port."""

from __future__ import annotations

from nova.virt.libvirt.plan import DomainPlan
from nova.virt.libvirt.xml import Element, element


def build(plan: DomainPlan) -> Element | None:
    if plan.look.vnc_listen is None:
        return None
    return element(
        "graphics",
        element("listen", type="address", address=plan.look.vnc_listen),
        type="vnc",
        port=-1,
        autoport="yes",
    )
