"""Filters and weighers by name; a module is imported when something in it is enabled."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import Any

from nova.conf.scheduler import SchedulerOptions
from nova.plugins import plugin
from nova.scheduler.filters.base import Filter
from nova.scheduler.weighers.base import Weigher

FILTER_GROUP = "nova.scheduler.filters"
"""Entry point group of third parties' filters; the entry's name is what operators enable."""
WEIGHER_GROUP = "nova.scheduler.weighers"

ALWAYS = ("RetryFilter", "AvailabilityZoneFilter", "CoreFilter", "RamFilter", "DiskFilter")
"""In force even when not enabled: the claim of a host enforces capacity, users were promised zones."""

FILTERS = {
    "AggregateCoreFilter": "core",
    "AggregateDiskFilter": "disk",
    "AggregateImagePropertiesIsolation": "image_properties_isolation",
    "AggregateInstanceExtraSpecsFilter": "extra_specs",
    "AggregateIoOpsFilter": "io_ops",
    "AggregateMultiTenancyIsolation": "tenant_isolation",
    "AggregateNumInstancesFilter": "num_instances",
    "AggregateRamFilter": "ram",
    "AggregateTypeAffinityFilter": "type_affinity",
    "AllHostsFilter": "all_hosts",
    "AvailabilityZoneFilter": "availability_zone",
    "ComputeCapabilitiesFilter": "compute_capabilities",
    "ComputeFilter": "compute",
    "CoreFilter": "core",
    "DifferentHostFilter": "different_host",
    "DiskFilter": "disk",
    "ImagePropertiesFilter": "image_properties",
    "IoOpsFilter": "io_ops",
    "IsolatedHostsFilter": "isolated_hosts",
    "JsonFilter": "json_query",
    "NumInstancesFilter": "num_instances",
    "RamFilter": "ram",
    "RetryFilter": "retry",
    "SameHostFilter": "same_host",
    "ServerGroupAffinityFilter": "affinity",
    "ServerGroupAntiAffinityFilter": "anti_affinity",
    "SimpleCIDRAffinityFilter": "simple_cidr",
    "TraitsFilter": "traits",
}
WEIGHERS = {
    "BuildFailureWeigher": "build_failure",
    "CPUWeigher": "cpu",
    "DiskWeigher": "disk",
    "HypervisorVersionWeigher": "hypervisor_version",
    "IoOpsWeigher": "io_ops",
    "NumInstancesWeigher": "num_instances",
    "RAMWeigher": "ram",
    "ServerGroupSoftAffinityWeigher": "affinity",
    "ServerGroupSoftAntiAffinityWeigher": "affinity",
}


class UnknownPlugin(ValueError):
    """An option names a filter or weigher that is not there."""


def load_filters(options: SchedulerOptions) -> list[Filter]:
    """Make the filters in force, in their order; raise :class:`UnknownPlugin` for one that is not there."""
    elsewhere = {path.rpartition(".")[2]: path for path in options.available_filters}
    enabled = list(dict.fromkeys(_short(name, FILTERS) for name in options.enabled_filters))
    names = [n for n in ALWAYS if n not in enabled] + enabled
    return [_load(n, FILTERS, "filters", elsewhere, Filter)(options) for n in names]


def load_weighers(options: SchedulerOptions) -> list[Weigher]:
    """Make the weighers that count, those with a multiplier of zero left out."""
    names: list[str] = []
    for name in options.weight_classes:
        every = name.rpartition(".")[2] == "all_weighers"
        names += [*WEIGHERS] if every else [_short(name, WEIGHERS)]
    weighers = [_load(n, WEIGHERS, "weighers", {}, Weigher)(options) for n in dict.fromkeys(names)]
    return [w for w in weighers if getattr(options, w.multiplier, 1.0) or w.name not in WEIGHERS]


def _short(name: str, ours: Iterable[str]) -> str:
    """Drop the module from an old spelling of ours (``nova.scheduler.filters.ram_filter.RamFilter``)."""
    last = name.strip().rpartition(".")[2]
    return last if name.startswith("nova.") and last in ours else name.strip()


def _load(name: str, ours: dict[str, str], kind: str, elsewhere: dict[str, str], base: type) -> Any:
    if name in ours:
        module = importlib.import_module(f"nova.scheduler.{kind}.{ours[name]}")
        return getattr(module, name)
    path = elsewhere.get(name, name)
    try:
        found = _by_path(path) if "." in path else plugin(f"nova.scheduler.{kind}", name)
    except (ImportError, AttributeError) as error:
        raise UnknownPlugin(f"{name} of the scheduler's {kind} cannot be loaded: {error}") from error
    if not (isinstance(found, type) and issubclass(found, base)):
        raise UnknownPlugin(f"{name} of the scheduler's {kind} is not a {base.__name__}")
    return found


def _by_path(path: str) -> object:
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)
