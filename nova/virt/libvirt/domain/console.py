"""The serial port, written to a file."""

from __future__ import annotations

from nova.virt.libvirt.plan import DomainPlan
from nova.virt.libvirt.store import CONSOLE_LOG
from nova.virt.libvirt.xml import Element, element


def build(plan: DomainPlan) -> Element:
    # Opened for appending, the file may be cut while the guest writes.
    return element(
        "serial",
        element("source", path=str(plan.directory / CONSOLE_LOG), append="on"),
        element("target", port=0),
        type="file",
    )
