"""The whole domain, in the order libvirt itself writes it."""

from __future__ import annotations

from nova.virt.libvirt import xml
from nova.virt.libvirt.domain import (
    balloon,
    channel,
    clock,
    console,
    cpu,
    disk,
    features,
    graphics,
    memory,
    metadata,
    nic,
    pointer,
    rng,
    system,
    tuning,
    video,
    watchdog,
)
from nova.virt.libvirt.plan import DomainPlan, domain_name


def domain_xml(plan: DomainPlan) -> str:
    """Return the domain of a plan as libvirt takes it."""
    devices = xml.element(
        "devices",
        xml.element("emulator", text=plan.platform.emulator),
        *disk.build(plan),
        *disk.controllers(plan),
        *nic.build(plan),
        console.build(plan),
        channel.build(plan),
        *pointer.build(plan),
        graphics.build(plan),
        *video.build(plan),
        watchdog.build(plan),
        balloon.build(plan),
        rng.build(plan),
    )
    return xml.to_text(
        xml.element(
            "domain",
            xml.element("name", text=domain_name(plan.spec.id)),
            xml.element("uuid", text=plan.spec.id),
            metadata.build(plan),
            *memory.build(plan),
            xml.element("vcpu", text=plan.spec.flavor.vcpus),
            tuning.build(plan),
            *system.build(plan),
            features.build(plan),
            cpu.build(plan),
            clock.build(plan),
            xml.element("on_poweroff", text="destroy"),
            xml.element("on_reboot", text="restart"),
            xml.element("on_crash", text="destroy"),
            devices,
            type=plan.platform.virt_type,
        )
    )
