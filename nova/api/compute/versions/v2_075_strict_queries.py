"""2.75: unknown query keys are refused in most lists; updated and rebuilt servers show everything."""

from __future__ import annotations

from typing import Any

from nova.api.compute.versions.base import Change, Was
from nova.api.compute.versions.places import SERVER_WRITES, at, join
from nova.api.wsgi.schema_parts import one_of_words


def no_swap(flavor: Any) -> None:
    """No swap was an empty string."""
    if flavor.get("swap") == 0:
        flavor["swap"] = ""


SORT_KEYS = one_of_words(
    "access_ip_v4",
    "access_ip_v6",
    "architecture",
    "auto_disk_config",
    "availability_zone",
    "cell_name",
    "cleaned",
    "config_drive",
    "created_at",
    "default_ephemeral_device",
    "default_swap_device",
    "deleted",
    "deleted_at",
    "disable_terminate",
    "display_description",
    "display_name",
    "ephemeral_gb",
    "ephemeral_key_uuid",
    "host",
    "hostname",
    "id",
    "image_ref",
    "instance_type_id",
    "kernel_id",
    "key_data",
    "key_name",
    "launch_index",
    "launched_at",
    "launched_on",
    "locked",
    "locked_by",
    "memory_mb",
    "node",
    "os_type",
    "power_state",
    "progress",
    "project_id",
    "ramdisk_id",
    "reservation_id",
    "root_device_name",
    "root_gb",
    "shutdown_terminate",
    "task_state",
    "terminated_at",
    "updated_at",
    "user_data",
    "user_id",
    "uuid",
    "vcpus",
    "vm_mode",
    "vm_state",
)

CHANGE = Change(
    version="2.75",
    summary="Unknown query keys are refused in most lists; updated and rebuilt servers show everything.",
    features=("strict_queries",),
    closes_query=(
        "assisted_volume_snapshots.delete",
        "flavors.detail",
        "flavors.index",
        "keypairs.delete",
        "keypairs.index",
        "keypairs.show",
        "limits.index",
        "quota_sets.delete",
        "quota_sets.detail",
        "quota_sets.show",
        "quota_sets.update",
        "server_groups.index",
        "servers.detail",
        "servers.index",
        "services.index",
        "simple_tenant_usage.index",
        "simple_tenant_usage.show",
        "volume_attachments.index",
    ),
    alters_query={
        "servers.detail": {"sort_key[]": Was(SORT_KEYS)},
        "servers.index": {"sort_key[]": Was(SORT_KEYS)},
    },
    adds_response=join(
        at(
            SERVER_WRITES,
            "addresses.<^.+$>[].OS-EXT-IPS-MAC:mac_addr",
            "addresses.<^.+$>[].OS-EXT-IPS:type",
            "config_drive",
            "host_status",
            "os-extended-volumes:volumes_attached",
            "security_groups",
            "OS-EXT-AZ:availability_zone",
            "OS-EXT-SRV-ATTR:host",
            "OS-EXT-SRV-ATTR:hostname",
            "OS-EXT-SRV-ATTR:hypervisor_hostname",
            "OS-EXT-SRV-ATTR:instance_name",
            "OS-EXT-SRV-ATTR:kernel_id",
            "OS-EXT-SRV-ATTR:launch_index",
            "OS-EXT-SRV-ATTR:ramdisk_id",
            "OS-EXT-SRV-ATTR:reservation_id",
            "OS-EXT-SRV-ATTR:root_device_name",
            "OS-EXT-STS:power_state",
            "OS-EXT-STS:task_state",
            "OS-EXT-STS:vm_state",
            "OS-SRV-USG:launched_at",
            "OS-SRV-USG:terminated_at",
        ),
        {
            "servers.update": (
                "server.key_name",
                "server.OS-EXT-SRV-ATTR:user_data",
            )
        },
    ),
    step_down={
        "flavors.create": {"flavor": no_swap},
        "flavors.show": {"flavor": no_swap},
        "flavors.update": {"flavor": no_swap},
        "flavors.detail": {"flavors[]": no_swap},
    },
)
