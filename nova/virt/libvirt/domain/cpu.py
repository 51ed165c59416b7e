"""Model and topology of the guest's processors."""

from __future__ import annotations

from nova.virt.libvirt.plan import DomainPlan
from nova.virt.libvirt.xml import Element, element


def build(plan: DomainPlan) -> Element:
    topology = element("topology", **_topology(plan))
    mode = plan.look.cpu_mode or ("custom" if plan.platform.virt_type == "qemu" else "host-model")
    if mode == "custom":
        model = element("model", text=plan.look.cpu_model, fallback="forbid")
        return element("cpu", model, topology, mode="custom", match="exact")
    if mode == "none":
        return element("cpu", topology)
    return element("cpu", topology, mode=mode)


def _topology(plan: DomainPlan) -> dict[str, str | int]:
    """Follow the flavor or the image where they fit the number of processors, else one socket each."""
    vcpus = plan.spec.flavor.vcpus

    def asked(name: str) -> int:
        word = plan.spec.flavor.extra_specs.get(f"hw:cpu_{name}") or plan.image_property(f"hw_cpu_{name}", "")
        return int(word) if word.isdecimal() else 0

    sockets, cores, threads = asked("sockets"), asked("cores"), asked("threads")
    if not (sockets or cores or threads):
        return {"sockets": vcpus, "cores": 1, "threads": 1}
    threads = threads or 1
    cores = cores or (max(1, vcpus // (sockets * threads)) if sockets else 1)
    sockets = sockets or max(1, vcpus // (cores * threads))
    if sockets * cores * threads != vcpus:
        return {"sockets": vcpus, "cores": 1, "threads": 1}
    return {"sockets": sockets, "cores": cores, "threads": threads}
