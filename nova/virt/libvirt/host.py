"""What this host is and has."""

from __future__ import annotations

import contextlib
import os
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import libvirt

from nova.clock import Clock
from nova.conf.libvirt import LibvirtConf
from nova.errors.virt import HypervisorUnavailable
from nova.objects.base import Value
from nova.objects.host import HostInventory
from nova.objects.ids import HostName, NodeName
from nova.objects.states import Capability
from nova.virt.libvirt import virt_type
from nova.virt.libvirt.connection import Connection
from nova.virt.libvirt.plan import Platform
from nova.virt.libvirt.store import Store
from nova.virt.libvirt.xml import parse

GIB = 1 << 30
_X86 = ("x86_64", "i686")
_MACHINES = {"x86_64": "pc", "i686": "pc", "aarch64": "virt"}


class HostShares(Value, frozen=True, kw_only=True):
    """What the operator keeps from guests, and how often the rest is given away."""

    host_ip: str = "127.0.0.1"
    cpu_ratio: float = 4.0
    ram_ratio: float = 1.0
    disk_ratio: float = 1.0
    reserved_vcpus: int = 0
    reserved_ram_mb: int = 512
    reserved_disk_gb: int = 0


class Facts(Value, frozen=True, kw_only=True):
    """What does not change while the daemon runs."""

    arch: str
    vcpus: int
    ram_mb: int
    version: int
    """QEMU's, as libvirt counts: major * 1,000,000 + minor * 1,000 + micro."""
    cpu_info: dict[str, object]
    guest_archs: tuple[str, ...]


def read_facts(connection: Connection) -> Facts:
    """Ask the daemon."""
    capabilities, info, version = connection.call(
        lambda virt: (virt.getCapabilities(), virt.getInfo(), virt.getVersion())
    )
    root = parse(capabilities)
    archs = {guest.get("name") for guest in root.iterfind("./guest/arch")}
    return Facts(
        arch=root.findtext("./host/cpu/arch") or os.uname().machine,
        vcpus=info[2],
        ram_mb=_memory_mb() or info[1],
        version=version,
        cpu_info=_cpu_info(root),
        guest_archs=tuple(sorted(arch for arch in archs if arch)),
    )


def _memory_mb() -> int | None:
    """Return the machine's memory; libvirt counts only what is switched on node by node."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) // 1024
    return None


def _cpu_info(root: ET.Element) -> dict[str, object]:
    cpu = root.find("./host/cpu")
    if cpu is None:
        return {}
    topology = cpu.find("topology")
    return {
        "arch": cpu.findtext("arch") or "",
        "model": cpu.findtext("model") or "",
        "vendor": cpu.findtext("vendor") or "",
        "topology": {k: int(v) for k, v in topology.attrib.items()} if topology is not None else {},
        "features": sorted(name for f in cpu.iterfind("feature") if (name := f.get("name"))),
    }


def find_platform(
    connection: Connection, facts: Facts, conf: LibvirtConf, clock: Clock, host: str
) -> Platform:
    """Find out how guests are made here; tries KVM if the options leave the choice to us."""
    machine = conf.hw_machine_type or _MACHINES.get(facts.arch, "")
    emulator = _emulator(connection, facts.arch, machine, host)
    return Platform(
        virt_type=virt_type.choose(
            conf.virt_type,
            emulator,
            least_s=conf.kvm_probe_timeout,
            clock=clock,
            memory=conf.instances_path / ".virt-type",
        ),
        arch=facts.arch,
        machine=machine,
        emulator=emulator,
        cache=conf.disk_cachemode or ("none" if _has_direct_io(conf.instances_path) else "writeback"),
    )


def _emulator(connection: Connection, arch: str, machine: str, host: str) -> str:
    def ask(virt: Any) -> str:
        return str(virt.getDomainCapabilities(None, arch, machine or None, "qemu"))

    try:
        found = parse(connection.call(ask)).findtext("./path")
    except libvirt.libvirtError as error:
        raise HypervisorUnavailable(
            part=f"QEMU on {host}", host=host, reason=f"there is no QEMU for {arch}"
        ) from error
    return found or f"/usr/bin/qemu-system-{arch}"


def _has_direct_io(directory: Path) -> bool:
    """Tell whether files here can be opened past the page cache."""
    probe = directory / f".direct-io.{os.getpid()}"
    try:
        os.close(os.open(probe, os.O_CREAT | os.O_WRONLY | os.O_DIRECT, 0o600))
    except OSError:
        return False
    finally:
        with contextlib.suppress(OSError):
            probe.unlink()
    return True


class Host(Value, frozen=True, kw_only=True):
    """This host, as found at start."""

    name: HostName
    facts: Facts
    platform: Platform
    shares: HostShares
    conf: LibvirtConf


def inventory(
    host: Host, store: Store, capabilities: frozenset[Capability], *, running: int
) -> HostInventory:
    """Return what there is now.

    Each running guest costs memory besides its own: QEMU's, and the translation cache under emulation.  It
    is reported as reserved, so that claims never count on it.
    """
    facts, platform, shares = host.facts, host.platform, host.shares
    disk = shutil.disk_usage(host.conf.instances_path)
    kinds = ("qemu", "kvm") if platform.virt_type == virt_type.KVM else ("qemu",)
    return HostInventory(
        host=host.name,
        node=NodeName(host.name),
        hypervisor_type="QEMU",
        hypervisor_version=facts.version,
        vcpus=facts.vcpus,
        ram_mb=facts.ram_mb,
        disk_gb=disk.total // GIB,
        reserved_vcpus=shares.reserved_vcpus,
        reserved_ram_mb=shares.reserved_ram_mb + running * overhead_mb(host.conf, platform),
        reserved_disk_gb=shares.reserved_disk_gb,
        cpu_ratio=shares.cpu_ratio,
        ram_ratio=shares.ram_ratio,
        disk_ratio=shares.disk_ratio,
        host_ip=shares.host_ip,
        cpu_info=facts.cpu_info,
        supported=tuple((arch, kind, "hvm") for arch in _runnable(facts, platform) for kind in kinds),
        capabilities=tuple(sorted(capabilities)),
        disk_available_gb=max(0, disk.free - _promised(store)) // GIB,
        running=running,
        uptime=_uptime(),
    )


def overhead_mb(conf: LibvirtConf, platform: Platform) -> int:
    """Return how much host memory one guest takes besides its own."""
    return conf.guest_overhead_mb + (conf.tb_cache_size if platform.virt_type == virt_type.QEMU else 0)


def _runnable(facts: Facts, platform: Platform) -> tuple[str, ...]:
    """Return the architectures that our one emulator runs."""
    return _X86 if platform.arch == "x86_64" and "i686" in facts.guest_archs else (platform.arch,)


def _promised(store: Store) -> int:
    """Return how many bytes the guests' disks may still grow by."""
    promised = 0
    for instance_id in store.instances():
        for disk in store.disks(instance_id) or ():
            with contextlib.suppress(FileNotFoundError):
                held = (store.directory(instance_id) / disk.file).stat().st_blocks * 512
                promised += max(0, disk.virtual_bytes - held)
    return promised


def _uptime() -> str:
    """Return uptime and load in the words of the program ``uptime``."""
    seconds = int(float(Path("/proc/uptime").read_text().split()[0]))
    days, rest = divmod(seconds, 86400)
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    return f"up {days} days, {rest // 3600}:{rest % 3600 // 60:02d}, load average: {load}"
