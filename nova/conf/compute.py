"""Options of nova-compute (``[DEFAULT]``, with the names operators know, and ``[compute]``)."""

from __future__ import annotations

import pathlib

import msgspec
from oslo_config import cfg

GROUP = "compute"

OPTIONS: tuple[cfg.Opt, ...] = (
    cfg.StrOpt(
        "compute_driver", default="libvirt", help="libvirt, fake, or the name of an installed driver."
    ),
    cfg.StrOpt(
        "instances_path", default="", help="Folder of the guests' disks; state_path/instances by default."
    ),
    cfg.IntOpt("max_concurrent_builds", default=10, min=1, help="Guests that one host builds at a time."),
    cfg.IntOpt("max_concurrent_snapshots", default=5, min=1, help="Snapshots that one host takes at a time."),
    cfg.FloatOpt("cpu_allocation_ratio", default=4.0, min=0.0, help="Virtual processors for each real one."),
    cfg.FloatOpt("ram_allocation_ratio", default=1.0, min=0.0, help="Guest memory for each real byte."),
    cfg.FloatOpt("disk_allocation_ratio", default=1.0, min=0.0, help="Guest disk for each real byte."),
    cfg.IntOpt("reserved_host_cpus", default=0, min=0, help="Processors kept from guests."),
    cfg.IntOpt("reserved_host_memory_mb", default=512, min=0, help="Memory kept from guests."),
    cfg.IntOpt("reserved_host_disk_mb", default=0, min=0, help="Disk kept from guests."),
    cfg.IntOpt("update_resources_interval", default=60, min=1, help="Seconds between looks at the host."),
    cfg.IntOpt(
        "sync_power_state_interval", default=600, min=1, help="Seconds between full reports of guests."
    ),
    cfg.BoolOpt(
        "resume_guests_state_on_host_boot",
        default=False,
        help="Start guests again that were running when their machine went down; otherwise they are stopped.",
    ),
    cfg.BoolOpt(
        "force_raw_images", default=True, help="Keep base images as raw files whatever they came as."
    ),
    cfg.BoolOpt("force_config_drive", default=False, help="Give every guest a config drive."),
    cfg.ListOpt(
        "config_drive_skip_versions",
        default=[
            "1.0",
            "2007-01-19",
            "2007-03-01",
            "2007-08-29",
            "2007-10-10",
            "2007-12-15",
            "2008-02-01",
            "2008-09-01",
        ],
        help="Versions of the EC2-style tree that are left off config drives.",
    ),
    cfg.StrOpt("mkisofs_cmd", default="genisoimage", help="Program that makes config drives."),
    cfg.StrOpt("dhcp_domain", default="novalocal", help="Domain of the guests' host names; may be empty."),
)

GROUP_OPTIONS: tuple[cfg.Opt, ...] = (
    cfg.IntOpt("workers", default=64, min=2, help="Threads that do jobs, started as needed, for all hosts."),
    cfg.FloatOpt("phase_delay", default=1.0, min=0.0, help="Seconds a phase lasts before it is reported."),
    cfg.FloatOpt(
        "verify_window", default=10.0, min=0.0, help="Seconds after start in which builds are checked."
    ),
    cfg.IntOpt(
        "full_report_interval", default=600, min=1, help="Seconds between reports of unchanged inventories."
    ),
    cfg.IntOpt("drain_seconds", default=20, min=0, help="How long a stop waits for jobs to end."),
    cfg.IntOpt("image_cache_age", default=86400, min=0, help="Seconds an unused base image is kept."),
    cfg.IntOpt("image_cache_interval", default=2400, min=1, help="Seconds between looks at the image cache."),
    cfg.IntOpt(
        "max_image_gb", default=1024, min=1, help="Largest virtual size of an image that is accepted."
    ),
)


class ComputeConf(msgspec.Struct, frozen=True, kw_only=True):
    """What nova-compute wants to know; the defaults are those of the options."""

    driver: str = "libvirt"
    instances_path: pathlib.Path = pathlib.Path("/var/lib/nova/instances")
    max_concurrent_builds: int = 10
    max_concurrent_snapshots: int = 5
    cpu_ratio: float = 4.0
    ram_ratio: float = 1.0
    disk_ratio: float = 1.0
    reserved_vcpus: int = 0
    reserved_ram_mb: int = 512
    reserved_disk_gb: int = 0
    shutdown_timeout_s: int = 60
    inventory_interval_s: float = 60
    power_interval_s: float = 600
    resume_guests: bool = False
    force_raw_images: bool = True
    force_config_drive: bool = False
    config_drive_skip_versions: tuple[str, ...] = ()
    mkisofs: str = "genisoimage"
    dhcp_domain: str = "novalocal"
    workers: int = 64
    phase_delay_s: float = 1.0
    verify_window_s: float = 10.0
    full_report_interval_s: float = 600
    drain_s: float = 20
    image_cache_age_s: float = 86400
    image_cache_interval_s: float = 2400
    max_image_bytes: int = 1024 << 30


def register(conf: cfg.ConfigOpts) -> None:
    """Make the options known to a configuration object; it must know those of every daemon too."""
    conf.register_opts(OPTIONS)
    conf.register_opts(GROUP_OPTIONS, group=GROUP)


def read(conf: cfg.ConfigOpts) -> ComputeConf:
    """Return the options as one frozen value."""
    group = conf[GROUP]
    return ComputeConf(
        driver=conf.compute_driver,
        instances_path=pathlib.Path(conf.instances_path or f"{conf.state_path}/instances"),
        max_concurrent_builds=conf.max_concurrent_builds,
        max_concurrent_snapshots=conf.max_concurrent_snapshots,
        cpu_ratio=conf.cpu_allocation_ratio,
        ram_ratio=conf.ram_allocation_ratio,
        disk_ratio=conf.disk_allocation_ratio,
        reserved_vcpus=conf.reserved_host_cpus,
        reserved_ram_mb=conf.reserved_host_memory_mb,
        reserved_disk_gb=-(-conf.reserved_host_disk_mb // 1024),
        shutdown_timeout_s=conf.shutdown_timeout,
        inventory_interval_s=conf.update_resources_interval,
        power_interval_s=conf.sync_power_state_interval,
        resume_guests=conf.resume_guests_state_on_host_boot,
        force_raw_images=conf.force_raw_images,
        force_config_drive=conf.force_config_drive,
        config_drive_skip_versions=tuple(conf.config_drive_skip_versions),
        mkisofs=conf.mkisofs_cmd,
        dhcp_domain=conf.dhcp_domain,
        workers=group.workers,
        phase_delay_s=group.phase_delay,
        verify_window_s=group.verify_window,
        full_report_interval_s=group.full_report_interval,
        drain_s=group.drain_seconds,
        image_cache_age_s=group.image_cache_age,
        image_cache_interval_s=group.image_cache_interval,
        max_image_bytes=group.max_image_gb << 30,
    )
