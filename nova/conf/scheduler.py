"""nova-scheduler: attempts, its view of the hosts, and all of its options as plain values."""

from __future__ import annotations

import msgspec
from oslo_config import cfg

from nova.conf import filter_scheduler
from nova.conf.filter_scheduler import DEFAULT_FILTERS

GROUP = "scheduler"

OPTIONS = [
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
        help="Before it answers a request that lost its host, the scheduler asks the conductor for what "
        "changed when its view is older than this; before it says that no host is left, always (seconds).",
    ),
    cfg.FloatOpt(
        "hold_time",
        default=15.0,
        min=0.0,
        help="How long a decision counts against its host while no claim of it was seen (seconds).",
    ),
]


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
    groups = ((GROUP, OPTIONS), (filter_scheduler.GROUP, filter_scheduler.OPTIONS))
    values = {option.dest: conf[group][option.dest] for group, options in groups for option in options}
    return msgspec.convert(values, SchedulerOptions)
