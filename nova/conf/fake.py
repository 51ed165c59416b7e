"""Options of the fake driver (``[fake]``)."""

from __future__ import annotations

import pathlib

import msgspec
from oslo_config import cfg

GROUP = "fake"

OPTIONS: tuple[cfg.Opt, ...] = (
    cfg.IntOpt(
        "hosts", default=1, min=1, help="Hosts of one nova-compute; more than one are named <host>-<n>."
    ),
    cfg.IntOpt("vcpus", default=64, min=1, help="Processors of each host."),
    cfg.IntOpt("ram_mb", default=262144, min=1, help="Memory of each host in MiB."),
    cfg.IntOpt("disk_gb", default=4096, min=1, help="Disk of each host in GiB."),
    cfg.StrOpt("world", default="", help="Folder in which the guests outlive restarts; empty: they do not."),
    cfg.StrOpt("script", default="", help="JSON file of delays and faults, read again when it changes."),
    cfg.PortOpt("vnc_port", default=5900, help="Port that every guest's VNC console is said to listen on."),
)


class FakeConf(msgspec.Struct, frozen=True, kw_only=True):
    """What the fake driver wants to know; the defaults are those of the options."""

    hosts: int = 1
    vcpus: int = 64
    ram_mb: int = 262144
    disk_gb: int = 4096
    world: pathlib.Path | None = None
    script: pathlib.Path | None = None
    vnc_port: int = 5900


def register(conf: cfg.ConfigOpts) -> None:
    """Make the options known to a configuration object."""
    conf.register_opts(OPTIONS, group=GROUP)


def read(conf: cfg.ConfigOpts) -> FakeConf:
    """Return the options as one frozen value."""
    group = conf[GROUP]
    return FakeConf(
        hosts=group.hosts,
        vcpus=group.vcpus,
        ram_mb=group.ram_mb,
        disk_gb=group.disk_gb,
        world=pathlib.Path(group.world) if group.world else None,
        script=pathlib.Path(group.script) if group.script else None,
        vnc_port=group.vnc_port,
    )
