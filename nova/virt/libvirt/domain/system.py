"""Machine, boot, and what the firmware tells the guest about itself."""

from __future__ import annotations

from nova.virt.libvirt.plan import DomainPlan, machine_of
from nova.virt.libvirt.xml import Element, element

# cloud-init recognises the platform by these words.
MANUFACTURER = "OpenStack Foundation"
PRODUCT = "OpenStack Nova"
_KERNEL_LINE = "root=/dev/vda console=tty0 console=ttyS0"


def build(plan: DomainPlan) -> list[Element]:
    x86 = plan.platform.arch in ("x86_64", "i686")
    boot = [
        element("kernel", text=str(plan.directory / "kernel")) if plan.kernel else None,
        element("initrd", text=str(plan.directory / "ramdisk")) if plan.ramdisk else None,
        element("cmdline", text=plan.image_property("os_command_line", _KERNEL_LINE))
        if plan.kernel
        else None,
    ]
    system = element(
        "os",
        element(
            "type", text="hvm", arch=plan.platform.arch, machine=machine_of(plan.spec.image, plan.platform)
        ),
        *boot,
        element("smbios", mode="sysinfo") if x86 else None,
    )
    return [_identity(plan), system] if x86 else [system]


def _identity(plan: DomainPlan) -> Element:
    entries = {
        "manufacturer": MANUFACTURER,
        "product": PRODUCT,
        "version": plan.package_version,
        "serial": plan.spec.id,
        "uuid": plan.spec.id,
        "family": "Virtual Machine",
    }
    return element(
        "sysinfo",
        element("system", *(element("entry", text=text, name=name) for name, text in entries.items())),
        type="smbios",
    )
