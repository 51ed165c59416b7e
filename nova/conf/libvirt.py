"""Options of the libvirt driver (``[libvirt]`` and the host's side of ``[vnc]``)."""

from __future__ import annotations

from pathlib import Path

import msgspec
from oslo_config import cfg

GROUP = "libvirt"
VNC_GROUP = "vnc"

VNC_OPTIONS: tuple[cfg.Opt, ...] = (
    cfg.BoolOpt("enabled", default=True, help="Give guests a VNC screen."),
    cfg.StrOpt("server_listen", default="127.0.0.1", help="Address the guests' VNC servers listen on."),
    cfg.StrOpt(
        "server_proxyclient_address",
        default="127.0.0.1",
        help="Address by which console proxies reach this host.",
    ),
)

OPTIONS: tuple[cfg.Opt, ...] = (
    cfg.StrOpt("connection_uri", default="qemu:///system", help="Which libvirt daemon to talk to."),
    cfg.StrOpt(
        "virt_type",
        default="auto",
        choices=["auto", "kvm", "qemu"],
        help="How guests run; auto tries whether KVM really works here and falls back to emulation.",
    ),
    cfg.StrOpt(
        "images_type",
        default="qcow2",
        choices=["qcow2", "raw"],
        help="Root disks: copy-on-write over the cached image, or full copies.",
    ),
    cfg.StrOpt(
        "cpu_mode",
        default="",
        choices=["", "host-model", "host-passthrough", "maximum", "custom", "none"],
        help="CPU of guests; empty: host-model with KVM, a fixed model under emulation.",
    ),
    cfg.StrOpt("cpu_model", default="qemu64", help="Model for cpu_mode=custom and for emulation."),
    cfg.StrOpt(
        "hw_machine_type", default="", help="Machine type of guests; empty: what the architecture needs."
    ),
    cfg.StrOpt(
        "disk_bus",
        default="virtio",
        choices=["virtio", "scsi", "sata", "ide", "usb"],
        help="Bus of disks unless the image says otherwise (hw_disk_bus).",
    ),
    cfg.StrOpt(
        "vif_model", default="virtio", help="Network card unless the image says otherwise (hw_vif_model)."
    ),
    cfg.StrOpt("video_model", default="vga", help="Screen unless the image says otherwise (hw_video_model)."),
    cfg.StrOpt(
        "pointer_model",
        default="usbtablet",
        choices=["usbtablet", "ps2mouse"],
        help="Pointer of guests; the tablet keeps screen and pointer together.",
    ),
    cfg.StrOpt(
        "disk_cachemode",
        default="",
        choices=["", "none", "writeback", "writethrough", "directsync", "unsafe"],
        help="Cache of local disks; empty: none where the file system can, else writeback.",
    ),
    cfg.StrOpt(
        "default_ephemeral_format",
        default="ext4",
        choices=["ext4", "vfat"],
        help="File system of ephemeral disks that ask for none.",
    ),
    cfg.StrOpt("rng_dev_path", default="/dev/urandom", help="Where guests' random numbers come from."),
    cfg.IntOpt("mem_stats_period_seconds", default=10, min=0, help="Period of memory statistics; 0: none."),
    cfg.IntOpt(
        "tb_cache_size",
        default=32,
        min=0,
        help="MiB of translation cache of an emulated guest; 0: QEMU's choice, up to 1024.",
    ),
    cfg.IntOpt(
        "guest_overhead_mb",
        default=80,
        min=0,
        help="Host memory a guest needs besides its own and the translation cache.",
    ),
    cfg.IntOpt(
        "console_log_bytes", default=1 << 20, min=4096, help="How much of a guest's serial output is kept."
    ),
    cfg.FloatOpt(
        "call_timeout", default=30.0, min=1.0, help="Seconds to wait for one ordinary libvirt call."
    ),
    cfg.FloatOpt(
        "start_timeout", default=120.0, min=1.0, help="Seconds to wait for a guest to start or end."
    ),
    cfg.FloatOpt("save_timeout", default=900.0, min=1.0, help="Seconds to wait for a suspend or a resume."),
    cfg.FloatOpt("copy_timeout", default=7200.0, min=1.0, help="Seconds one disk may take to be copied."),
    cfg.FloatOpt(
        "kvm_probe_timeout",
        default=0.75,
        min=0.1,
        help="Seconds KVM gets to run a boot sector (more where emulation needs more than a sixth of that).",
    ),
)


class LibvirtConf(msgspec.Struct, frozen=True, kw_only=True):
    """What the libvirt driver wants to know; the defaults are those of the options."""

    instances_path: Path = Path("/var/lib/nova/instances")
    connection_uri: str = "qemu:///system"
    virt_type: str = "auto"
    images_type: str = "qcow2"
    cpu_mode: str = ""
    cpu_model: str = "qemu64"
    hw_machine_type: str = ""
    disk_bus: str = "virtio"
    vif_model: str = "virtio"
    video_model: str = "vga"
    pointer_model: str = "usbtablet"
    disk_cachemode: str = ""
    default_ephemeral_format: str = "ext4"
    rng_dev_path: str = "/dev/urandom"
    mem_stats_period_seconds: int = 10
    tb_cache_size: int = 32
    guest_overhead_mb: int = 80
    console_log_bytes: int = 1 << 20
    call_timeout: float = 30.0
    start_timeout: float = 120.0
    save_timeout: float = 900.0
    copy_timeout: float = 7200.0
    kvm_probe_timeout: float = 0.75
    vnc_enabled: bool = True
    vnc_listen: str = "127.0.0.1"
    vnc_proxyclient_address: str = "127.0.0.1"


def register(conf: cfg.ConfigOpts) -> None:
    """Make the options known to a configuration object."""
    conf.register_opts(OPTIONS, group=GROUP)
    conf.register_opts(VNC_OPTIONS, group=VNC_GROUP)


def read(conf: cfg.ConfigOpts, instances_path: Path) -> LibvirtConf:
    """Return the options as one frozen value; ``instances_path`` is an option of the agent."""
    group, vnc = conf[GROUP], conf[VNC_GROUP]
    return LibvirtConf(
        instances_path=instances_path,
        vnc_enabled=vnc.enabled,
        vnc_listen=vnc.server_listen,
        vnc_proxyclient_address=vnc.server_proxyclient_address,
        **{option.dest: group[option.dest] for option in OPTIONS},
    )
