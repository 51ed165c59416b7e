"""The guest's clock and timers."""

from __future__ import annotations

from nova.virt.libvirt.plan import DomainPlan
from nova.virt.libvirt.xml import Element, element


def build(plan: DomainPlan) -> Element:
    windows = plan.image_property("os_type", "linux") == "windows"
    timers = []
    if plan.platform.virt_type == "kvm" and plan.platform.arch in ("x86_64", "i686"):
        timers = [
            element("timer", name="pit", tickpolicy="delay"),
            element("timer", name="rtc", tickpolicy="catchup"),
            element("timer", name="hpet", present="no"),
        ]
    return element("clock", *timers, offset="localtime" if windows else "utc")
