"""2.73: a lock may have a reason; servers are filtered and sorted by lock."""

from __future__ import annotations

from nova.api.compute.versions.base import Change, Json, Was
from nova.api.compute.versions.places import SERVERS, at
from nova.api.wsgi.schema_parts import closed, one_of_words


def without_reason(body: Json) -> Json:  # noqa: ARG001
    """Whatever was sent meant nothing."""
    return {"lock": None}


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
    version="2.73",
    summary="A lock may have a reason; servers are filtered and sorted by lock.",
    adds_query={"servers.detail": ("locked",), "servers.index": ("locked",)},
    drops_request={"lock_server.unlock": {"": Was(closed({"unlock": {}}, ("unlock",)))}},
    alters_request={"lock_server.lock": {"lock": Was({}, required=True)}},
    alters_query={
        "servers.detail": {"sort_key[]": Was(SORT_KEYS)},
        "servers.index": {"sort_key[]": Was(SORT_KEYS)},
    },
    adds_response=at(SERVERS, "locked_reason"),
    lift={"lock_server.lock": without_reason},
)
