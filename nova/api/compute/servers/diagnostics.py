"""``/servers/{id}/diagnostics``: counters of a running guest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nova.api.wsgi.operation import Operation
from nova.api.wsgi.request import Request
from nova.api.wsgi.schema_parts import NO_QUERY
from nova.objects.guest import Diagnostics
from nova.objects.ids import InstanceId
from nova.policy import ADMIN, Rule

Json = dict[str, Any]
_DISK_WORDS = {
    "read_bytes": "read",
    "read_requests": "read_req",
    "write_bytes": "write",
    "write_requests": "write_req",
    "errors_count": "errors",
}
_NIC_WORDS = {"octets": "", "errors": "_errors", "drop": "_drop", "packets": "_packets"}

_NIC_KEYS = ("mac_address", *(f"{way}_{word}" for way in ("rx", "tx") for word in (*_NIC_WORDS, "rate")))
_CPU_KEYS = ("id", "time", "utilisation")


def index(req: Request, server_id: str) -> Diagnostics:
    """Show the counters of a server."""
    return req.conductor.diagnostics(req.ctx, InstanceId(server_id))


def counters(req: Request, found: Diagnostics) -> Json:
    """Render in fixed fields, or by the names that libvirt gave before 2.48."""
    return _standard(found) if req.has("diagnostics_standard") else _loose(found)


def _standard(found: Diagnostics) -> Json:
    return {
        "state": found.state,
        "driver": found.driver,
        "hypervisor": found.hypervisor,
        "hypervisor_os": found.hypervisor_os,
        "uptime": found.uptime_s,
        "config_drive": found.config_drive,
        "num_cpus": len(found.cpus),
        "num_nics": len(found.nics),
        "num_disks": len(found.disks),
        "cpu_details": [_complete(_CPU_KEYS, cpu) for cpu in found.cpus],
        "nic_details": [_complete(_NIC_KEYS, nic) for nic in found.nics],
        "disk_details": [_complete(_DISK_WORDS, disk) for disk in found.disks],
        "memory_details": {"maximum": found.memory.get("maximum"), "used": found.memory.get("used")},
    }


def _complete(keys: Iterable[str], counters: Mapping[str, object]) -> Json:
    """Return counters with every key that the API promises; null is what the driver does not count."""
    return {key: counters.get(key) for key in keys}


def _loose(found: Diagnostics) -> Json:
    document: Json = {f"cpu{number}_time": cpu.get("time") for number, cpu in enumerate(found.cpus)}
    memory = found.memory.get("maximum")
    if memory is not None:
        document["memory"] = memory * 1024
    for number, disk in enumerate(found.disks):
        device = f"vd{chr(ord('a') + number)}"
        document |= {f"{device}_{old}": disk.get(new) for new, old in _DISK_WORDS.items()}
    for number, nic in enumerate(found.nics):
        for way in ("rx", "tx"):
            for new, old in _NIC_WORDS.items():
                document[f"vnet{number}_{way}{old}"] = nic.get(f"{way}_{new}")
    return document


OPERATIONS = (
    Operation(
        name="server_diagnostics.index",
        method="GET",
        path="/servers/{server_id}/diagnostics",
        handler=index,
        view=counters,
        policy=Rule("os_compute_api:os-server-diagnostics", ADMIN, "Show the counters of a server."),
        query=NO_QUERY,
    ),
)
