"""The element that says whose domain this is.  Domains without it are never touched."""

from __future__ import annotations

from nova.virt.libvirt.plan import DomainPlan
from nova.virt.libvirt.xml import NOVA_NAMESPACE, Element, element

_PREFIX = f"{{{NOVA_NAMESPACE}}}"


def build(plan: DomainPlan) -> Element:
    spec, flavor = plan.spec, plan.spec.flavor
    return element(
        "metadata",
        element(
            f"{_PREFIX}instance",
            element(f"{_PREFIX}package", version=plan.package_version),
            element(f"{_PREFIX}name", text=spec.name),
            element(f"{_PREFIX}creationTime", text=plan.created_at.strftime("%Y-%m-%d %H:%M:%S")),
            element(
                f"{_PREFIX}flavor",
                element(f"{_PREFIX}memory", text=flavor.ram_mb),
                element(f"{_PREFIX}disk", text=flavor.root_gb),
                element(f"{_PREFIX}swap", text=flavor.swap_mb),
                element(f"{_PREFIX}ephemeral", text=flavor.ephemeral_gb),
                element(f"{_PREFIX}vcpus", text=flavor.vcpus),
                name=xml_attribute(flavor.name),
            ),
            element(
                f"{_PREFIX}owner",
                element(f"{_PREFIX}user", uuid=xml_attribute(spec.user_id)),
                element(f"{_PREFIX}project", uuid=xml_attribute(spec.project_id)),
            ),
            element(f"{_PREFIX}root", type="image", uuid=xml_attribute(spec.image.id))
            if spec.image
            else None,
        ),
    )


def xml_attribute(text: str) -> str:
    """Return a text of users as an attribute may hold it."""
    return "".join(c for c in text if c.isprintable())
