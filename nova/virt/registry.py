"""Finds the driver by its name and makes the driver objects of this process.

A driver is a class with a class method ``for_hosts(hosts, conf, clock)`` that registers and reads its own
options and returns one :class:`~nova.virt.base.Hypervisor` a host, in order.  It may set ``needs_images =
False`` when it makes its disks without files from the agent.  Drivers of others are found through the entry
point group ``nova.virt.drivers``.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any, cast

from oslo_config import cfg

from nova.clock import Clock
from nova.errors.virt import HypervisorUnavailable
from nova.objects.ids import HostName
from nova.plugins import plugin
from nova.virt.base import Hypervisor

ENTRY_POINTS = "nova.virt.drivers"

_OWN = {
    "libvirt": "nova.virt.libvirt.driver:LibvirtDriver",
    "fake": "nova.virt.fake.driver:FakeDriver",
}
# names that configuration files of old carry
_ALIASES = {
    "libvirt.LibvirtDriver": "libvirt",
    "nova.virt.libvirt.LibvirtDriver": "libvirt",
    "fake.FakeDriver": "fake",
    "nova.virt.fake.FakeDriver": "fake",
}


def make_drivers(
    name: str, hosts: Sequence[HostName], conf: cfg.ConfigOpts, clock: Clock
) -> dict[HostName, Hypervisor]:
    """Make a driver for every host; ``HypervisorUnavailable`` says why there is none of that name."""
    made = _driver_class(name, hosts).for_hosts(hosts, conf, clock)
    return dict(zip(hosts, cast("list[Hypervisor]", made), strict=True))


def driver_name(name: str) -> str:
    """Return the name of today for a driver's name of any time."""
    return _ALIASES.get(name, name)


def needs_images(driver: Hypervisor) -> bool:
    """Tell whether a driver wants base images from the agent's cache."""
    return bool(getattr(type(driver), "needs_images", True))


def _driver_class(name: str, hosts: Sequence[HostName]) -> Any:
    name = driver_name(name)
    try:
        if name in _OWN:
            module, _, attribute = _OWN[name].partition(":")
            return getattr(importlib.import_module(module), attribute)
        return plugin(ENTRY_POINTS, name)
    except ImportError as error:
        reason = f"the driver {name} cannot be loaded: {error} (our own: {', '.join(sorted(_OWN))})"
        raise HypervisorUnavailable(host=hosts[0] if hosts else "", reason=reason) from error
