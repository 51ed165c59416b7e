"""Entropy for the guest."""

from __future__ import annotations

from nova.virt.libvirt.plan import DomainPlan
from nova.virt.libvirt.xml import Element, element


def build(plan: DomainPlan) -> Element | None:
    specs = plan.spec.flavor.extra_specs
    if specs.get("hw_rng:allowed", "true").lower() in ("false", "0", "no"):
        return None
    rate = specs.get("hw_rng:rate_bytes", "")
    return element(
        "rng",
        element("rate", bytes=rate, period=specs.get("hw_rng:rate_period", "1000"))
        if rate.isdecimal()
        else None,
        element("backend", text=plan.look.rng_dev_path, model="random"),
        model="virtio",
    )
