"""ACPI, APIC and, under emulation, a bound for the translation cache."""

from __future__ import annotations

from nova.virt.libvirt.plan import DomainPlan
from nova.virt.libvirt.xml import Element, element


def build(plan: DomainPlan) -> Element:
    emulated = plan.platform.virt_type == "qemu"
    cache = plan.look.tb_cache_mb
    return element(
        "features",
        element("acpi"),
        element("apic"),
        # QEMU takes up to a gigabyte for it when it is not told.
        element("tcg", element("tb-cache", text=cache, unit="MiB")) if emulated and cache else None,
    )
