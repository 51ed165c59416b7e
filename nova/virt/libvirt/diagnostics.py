"""Counters of a running guest, from libvirt's flat statistics: pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import libvirt

from nova.objects.guest import Diagnostics
from nova.objects.states import Power

STATS = (
    libvirt.VIR_DOMAIN_STATS_STATE
    | libvirt.VIR_DOMAIN_STATS_BALLOON
    | libvirt.VIR_DOMAIN_STATS_VCPU
    | libvirt.VIR_DOMAIN_STATS_INTERFACE
    | libvirt.VIR_DOMAIN_STATS_BLOCK
)
_WORDS = {
    Power.RUNNING: "running",
    Power.PAUSED: "paused",
    Power.SHUTDOWN: "shutdown",
    Power.CRASHED: "crashed",
    Power.SUSPENDED: "suspended",
}
_NIC = {"octets": "bytes", "errors": "errs", "drop": "drop", "packets": "pkts"}


def diagnostics(
    stats: Mapping[str, Any], power: Power, macs: Mapping[str, str], *, virt_type: str, config_drive: bool
) -> Diagnostics:
    """Return libvirt's ``stats`` of one domain in the API's form; ``macs`` by name of the tap device."""
    return Diagnostics(
        state=_WORDS.get(power, "pending"),
        driver="libvirt",
        hypervisor=virt_type,
        hypervisor_os="linux",
        config_drive=config_drive,
        cpus=tuple(_cpu(stats, number) for number in range(_count(stats, "vcpu.current"))),
        memory={"maximum": _mib(stats.get("balloon.maximum")), "used": _mib(stats.get("balloon.current"))},
        nics=tuple(_nic(stats, f"net.{number}", macs) for number in range(_count(stats, "net.count"))),
        disks=tuple(_disk(stats, f"block.{number}") for number in range(_count(stats, "block.count"))),
    )


def _count(stats: Mapping[str, Any], name: str) -> int:
    return int(stats.get(name, 0))


def _mib(kib: int | None) -> int | None:
    return None if kib is None else kib // 1024


def _cpu(stats: Mapping[str, Any], number: int) -> dict[str, int | None]:
    return {"id": number, "time": stats.get(f"vcpu.{number}.time"), "utilisation": None}


def _nic(stats: Mapping[str, Any], prefix: str, macs: Mapping[str, str]) -> dict[str, object]:
    counters: dict[str, object] = {"mac_address": macs.get(str(stats.get(f"{prefix}.name")))}
    for way in ("rx", "tx"):
        for ours, theirs in _NIC.items():
            counters[f"{way}_{ours}"] = stats.get(f"{prefix}.{way}.{theirs}")
        counters[f"{way}_rate"] = None
    return counters


def _disk(stats: Mapping[str, Any], prefix: str) -> dict[str, int | None]:
    return {
        "read_bytes": stats.get(f"{prefix}.rd.bytes"),
        "read_requests": stats.get(f"{prefix}.rd.reqs"),
        "write_bytes": stats.get(f"{prefix}.wr.bytes"),
        "write_requests": stats.get(f"{prefix}.wr.reqs"),
        "errors_count": None,
    }
