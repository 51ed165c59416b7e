"""Network cards: taps with names that the packet rules know."""

from __future__ import annotations

from nova.objects.network import Vif
from nova.virt.libvirt.domain import tuning
from nova.virt.libvirt.plan import DomainPlan
from nova.virt.libvirt.xml import Element, element

MODELS = frozenset({"virtio", "e1000", "e1000e", "ne2k_pci", "pcnet", "rtl8139", "vmxnet3"})


def build(plan: DomainPlan) -> list[Element]:
    return [_nic(plan, vif) for vif in plan.spec.vifs]


def _nic(plan: DomainPlan, vif: Vif) -> Element:
    model = plan.image_property("hw_vif_model", plan.look.vif_model)
    return element(
        "interface",
        element("mac", address=vif.mac),
        element("source", bridge=vif.bridge) if vif.bridge else None,
        element("target", dev=vif.device),
        element("model", type=model if model in MODELS else plan.look.vif_model),
        tuning.nic(plan),
        element("mtu", size=vif.mtu) if vif.mtu else None,
        # No network boot: without its ROM the firmware goes to the disk at once.
        element("rom", enabled="no"),
        type="bridge" if vif.bridge else "ethernet",
    )
