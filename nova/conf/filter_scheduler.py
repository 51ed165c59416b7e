"""How hosts are chosen: filters, weighers and their limits."""

from __future__ import annotations

from oslo_config import cfg

GROUP = "filter_scheduler"

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


OPTIONS = [
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
