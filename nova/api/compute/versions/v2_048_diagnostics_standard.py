"""2.48: diagnostics have fixed fields, whatever the hypervisor."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.48",
    summary="Diagnostics have fixed fields, whatever the hypervisor.",
    features=("diagnostics_standard",),
    adds_response={
        "server_diagnostics.index": (
            "config_drive",
            "cpu_details",
            "disk_details",
            "driver",
            "hypervisor",
            "hypervisor_os",
            "memory_details",
            "nic_details",
            "num_cpus",
            "num_disks",
            "num_nics",
            "state",
            "uptime",
        )
    },
)
