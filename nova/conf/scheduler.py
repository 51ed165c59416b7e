"""Where instances go: filters, weighers and the view of nova-scheduler."""

from __future__ import annotations

import msgspec
from oslo_config import cfg

DEFAULT_FILTERS = (
    "RetryFilter",
    "AvailabilityZoneFilter",
    "ComputeFilter",
    "CoreFilter",
    "RamFilter",
    "DiskFilter",
    "ComputeCapabilitiesFilter",
    "TraitsFilter",
    "ImagePropertiesFilter",
    "ServerGroupAntiAffinityFilter",
    "ServerGroupAffinityFilter",
    "SameHostFilter",
    "DifferentHostFilter",
)


def _multiplier(name: str, default: float, what: str) -> cfg.Opt:
    return cfg.FloatOpt(
        f"{name}_weight_multiplier",
        default=default,
        deprecated_name=f"{name}_weight_multiplier",
        deprecated_group="DEFAULT",
        help=f"How much {what} counts against the other weighers. Below zero turns its order round, zero "
        "leaves it out. Metadata of the same name on an aggregate holds for the hosts in it.",
    )


SCHEDULER = [
    cfg.IntOpt(
        "max_attempts",
        default=3,
        min=1,
        deprecated_name="scheduler_max_attempts",
        deprecated_group="DEFAULT",
        help="How many hosts an instance is tried on: the chosen one and the alternates of a decision.",
    ),
    cfg.FloatOpt(
        "view_refresh_interval",
        default=1.0,
        min=0.1,
        help="How often a busy scheduler asks the conductor for what changed, besides being told; an idle "
        "one asks a tenth as often (seconds).",
    ),
    cfg.FloatOpt(
        "view_whole_interval",
        default=30.0,
        min=1.0,
        help="How often the scheduler asks for everything instead (seconds).",
    ),
    cfg.FloatOpt(
        "view_stale_after",
        default=5.0,
        min=0.0,
        help="A view older than this is brought up to date before anything is decided on it (seconds).",
    ),
    cfg.FloatOpt(
        "view_max_age",
        default=0.1,
        min=0.0,
        help="Before it says that no host is left, or answers a request that lost its host, the scheduler "
        "asks the conductor for what changed when its view is older than this (seconds).",
    ),
    cfg.FloatOpt(
        "hold_time",
        default=15.0,
        min=0.0,
        help="How long a decision counts against its host while no claim of it was seen (seconds).",
    ),
]

FILTER_SCHEDULER = [
    cfg.MultiStrOpt(
        "available_filters",
        default=["nova.scheduler.filters.all_filters"],
        deprecated_name="scheduler_available_filters",
        deprecated_group="DEFAULT",
        help="Classes of filters besides those that come with Nova (all_filters), as module.Class. Filters "
        "of the entry point group nova.scheduler.filters are available without being listed.",
    ),
    cfg.ListOpt(
        "enabled_filters",
        default=list(DEFAULT_FILTERS),
        deprecated_opts=[
            cfg.DeprecatedOpt("scheduler_default_filters", group="DEFAULT"),
            cfg.DeprecatedOpt("scheduler_default_filters", group="filter_scheduler"),
        ],
        help="Names of the filters in force, in their order. The filters for retries, zones, CPUs, memory "
        "and disk are always in force, because the claim of a host enforces the same; they come first when "
        "they are not listed.",
    ),
    cfg.ListOpt(
        "weight_classes",
        default=["nova.scheduler.weights.all_weighers"],
        deprecated_name="scheduler_weight_classes",
        deprecated_group="DEFAULT",
        help="Names or classes of the weighers in force; all_weighers means all that come with Nova.",
    ),
    cfg.IntOpt(
        "host_subset_size",
        default=1,
        min=1,
        deprecated_name="scheduler_host_subset_size",
        deprecated_group="DEFAULT",
        help="Take a random host of so many best ones. Of equally good hosts a random one is always taken.",
    ),
    _multiplier("ram", 1.0, "free memory"),
    _multiplier("cpu", 1.0, "free CPUs"),
    _multiplier("disk", 1.0, "free disk"),
    _multiplier("io_ops", -1.0, "the number of builds and the like under way"),
    _multiplier("num_instances", 0.0, "the number of instances"),
    _multiplier("build_failure", 1000000.0, "having no recently failed builds"),
    _multiplier("hypervisor_version", 1.0, "a newer hypervisor"),
    _multiplier("soft_affinity", 1.0, "members of a soft-affinity group on the host"),
    _multiplier("soft_anti_affinity", 1.0, "the absence of members of a soft-anti-affinity group"),
    cfg.IntOpt(
        "max_io_ops_per_host",
        default=8,
        min=1,
        deprecated_name="max_io_ops_per_host",
        deprecated_group="DEFAULT",
        help="IoOpsFilter: hosts with so many builds and the like under way are left out.",
    ),
    cfg.IntOpt(
        "max_instances_per_host",
        default=50,
        min=1,
        deprecated_name="max_instances_per_host",
        deprecated_group="DEFAULT",
        help="NumInstancesFilter: hosts with so many instances are left out.",
    ),
    cfg.ListOpt(
        "isolated_images",
        default=[],
        deprecated_name="isolated_images",
        deprecated_group="DEFAULT",
        help="IsolatedHostsFilter: ids of images that only run on isolated_hosts.",
    ),
    cfg.ListOpt(
        "isolated_hosts",
        default=[],
        deprecated_name="isolated_hosts",
        deprecated_group="DEFAULT",
        help="IsolatedHostsFilter: names of the hosts for isolated_images.",
    ),
    cfg.BoolOpt(
        "restrict_isolated_hosts_to_isolated_images",
        default=True,
        deprecated_name="restrict_isolated_hosts_to_isolated_images",
        deprecated_group="DEFAULT",
        help="IsolatedHostsFilter: keep other images off isolated_hosts.",
    ),
    cfg.StrOpt(
        "aggregate_image_properties_isolation_namespace",
        deprecated_name="aggregate_image_properties_isolation_namespace",
        deprecated_group="DEFAULT",
        help="AggregateImagePropertiesIsolation: only metadata keys of this namespace count.",
    ),
    cfg.StrOpt(
        "aggregate_image_properties_isolation_separator",
        default=".",
        deprecated_name="aggregate_image_properties_isolation_separator",
        deprecated_group="DEFAULT",
        help="AggregateImagePropertiesIsolation: what stands between namespace and key.",
    ),
    cfg.StrOpt(
        "image_properties_default_architecture",
        help="ImagePropertiesFilter: the architecture of images that do not say theirs.",
    ),
]

_GROUPS = (("scheduler", SCHEDULER), ("filter_scheduler", FILTER_SCHEDULER))


def register(conf: cfg.ConfigOpts) -> None:
    for group, options in _GROUPS:
        conf.register_opts(options, group=group)


class SchedulerOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options as the pipeline takes them: plain values with their defaults."""

    max_attempts: int = 3
    view_refresh_interval: float = 1.0
    view_whole_interval: float = 30.0
    view_stale_after: float = 5.0
    view_max_age: float = 0.1
    hold_time: float = 15.0
    available_filters: tuple[str, ...] = ()
    enabled_filters: tuple[str, ...] = DEFAULT_FILTERS
    weight_classes: tuple[str, ...] = ("all_weighers",)
    host_subset_size: int = 1
    ram_weight_multiplier: float = 1.0
    cpu_weight_multiplier: float = 1.0
    disk_weight_multiplier: float = 1.0
    io_ops_weight_multiplier: float = -1.0
    num_instances_weight_multiplier: float = 0.0
    build_failure_weight_multiplier: float = 1000000.0
    hypervisor_version_weight_multiplier: float = 1.0
    soft_affinity_weight_multiplier: float = 1.0
    soft_anti_affinity_weight_multiplier: float = 1.0
    max_io_ops_per_host: int = 8
    max_instances_per_host: int = 50
    isolated_images: tuple[str, ...] = ()
    isolated_hosts: tuple[str, ...] = ()
    restrict_isolated_hosts_to_isolated_images: bool = True
    aggregate_image_properties_isolation_namespace: str | None = None
    aggregate_image_properties_isolation_separator: str = "."
    image_properties_default_architecture: str | None = None


def read(conf: cfg.ConfigOpts) -> SchedulerOptions:
    """Take the options out of a configuration."""
    values = {option.dest: conf[group][option.dest] for group, options in _GROUPS for option in options}
    return msgspec.convert(values, SchedulerOptions)
