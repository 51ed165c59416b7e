"""Disks: files of the guest's directory, their formats always said."""

from __future__ import annotations

from nova.virt.libvirt.domain import tuning
from nova.virt.libvirt.plan import DomainPlan, LocalDisk
from nova.virt.libvirt.xml import Element, element

_SCSI_MODELS = ("virtio-scsi", "lsilogic", "lsisas1068", "lsisas1078", "vmpvscsi")


def build(plan: DomainPlan) -> list[Element]:
    return [_disk(plan, disk) for disk in plan.disks]


def _disk(plan: DomainPlan, disk: LocalDisk) -> Element:
    driver: dict[str, str | int] = {"name": "qemu", "type": disk.format, "cache": plan.platform.cache}
    if disk.device == "disk":
        # What the guest frees is given back to the host.
        driver["discard"] = "unmap"
    return element(
        "disk",
        element("driver", **driver),
        element("source", file=str(plan.directory / disk.file)),
        element("target", dev=disk.target, bus=disk.bus),
        tuning.disk(plan) if disk.device == "disk" else None,
        element("readonly") if disk.readonly or disk.device == "cdrom" else None,
        element("boot", order=disk.boot_order) if disk.boot_order is not None and not plan.kernel else None,
        element("serial", text=disk.serial) if disk.serial else None,
        type="file",
        device=disk.device,
    )


def controllers(plan: DomainPlan) -> list[Element]:
    """Return the controllers that libvirt would choose otherwise than the image asks."""
    if not any(disk.bus == "scsi" for disk in plan.disks):
        return []
    model = plan.image_property("hw_scsi_model", _SCSI_MODELS[0])
    if model not in _SCSI_MODELS:
        model = _SCSI_MODELS[0]
    return [element("controller", type="scsi", index=0, model=model)]
