"""The list of resource modules; each has ``OPERATIONS``, a tuple of :class:`Operation`."""

from __future__ import annotations

import importlib
from types import ModuleType

from nova.api.wsgi.operation import Operation

RESOURCES: tuple[str, ...] = (
    "servers",
    "volumes_boot",
    "flavors",
    "flavor_access",
    "flavor_specs",
    "keypairs",
    "limits",
    "usage",
    "zones",
    "services",
    "hypervisors",
    "hosts",
    "console_tokens",
    "quotas",
    "quota_classes",
    "aggregates",
    "server_groups",
    "security_groups",
    "networks",
    "images",
    "image_metadata",
    "extensions",
    "absent",
    "removed",
)
"""Module names below ``nova.api.compute``, in the order of the documentation."""


def modules(names: tuple[str, ...] = RESOURCES) -> list[ModuleType]:
    """Import and return the resource modules."""
    return [importlib.import_module(f"nova.api.compute.{name}") for name in names]


def operations(names: tuple[str, ...] = RESOURCES) -> tuple[Operation, ...]:
    """Return the operations of all resource modules."""
    return tuple(operation for module in modules(names) for operation in module.OPERATIONS)
