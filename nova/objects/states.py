"""Every state word of an instance, with the spellings of the Compute API."""

from __future__ import annotations

import enum


class Vm(enum.StrEnum):
    """``vm_state``: the stable state."""

    ACTIVE = "active"
    BUILDING = "building"
    PAUSED = "paused"
    SUSPENDED = "suspended"
    STOPPED = "stopped"
    RESCUED = "rescued"
    RESIZED = "resized"
    SOFT_DELETED = "soft-delete"
    DELETED = "deleted"
    ERROR = "error"
    SHELVED = "shelved"
    SHELVED_OFFLOADED = "shelved_offloaded"


class Task(enum.StrEnum):
    """``task_state``: what is going on; an idle instance has none."""

    SCHEDULING = "scheduling"
    NETWORKING = "networking"
    BLOCK_DEVICE_MAPPING = "block_device_mapping"
    SPAWNING = "spawning"
    IMAGE_SNAPSHOT = "image_snapshot"
    IMAGE_SNAPSHOT_PENDING = "image_snapshot_pending"
    IMAGE_PENDING_UPLOAD = "image_pending_upload"
    IMAGE_UPLOADING = "image_uploading"
    IMAGE_BACKUP = "image_backup"
    UPDATING_PASSWORD = "updating_password"
    RESIZE_PREP = "resize_prep"
    RESIZE_MIGRATING = "resize_migrating"
    RESIZE_MIGRATED = "resize_migrated"
    RESIZE_FINISH = "resize_finish"
    RESIZE_REVERTING = "resize_reverting"
    RESIZE_CONFIRMING = "resize_confirming"
    REBOOTING = "rebooting"
    REBOOT_PENDING = "reboot_pending"
    REBOOT_STARTED = "reboot_started"
    REBOOTING_HARD = "rebooting_hard"
    REBOOT_PENDING_HARD = "reboot_pending_hard"
    REBOOT_STARTED_HARD = "reboot_started_hard"
    PAUSING = "pausing"
    UNPAUSING = "unpausing"
    SUSPENDING = "suspending"
    RESUMING = "resuming"
    POWERING_OFF = "powering-off"
    POWERING_ON = "powering-on"
    RESCUING = "rescuing"
    UNRESCUING = "unrescuing"
    REBUILDING = "rebuilding"
    REBUILD_BLOCK_DEVICE_MAPPING = "rebuild_block_device_mapping"
    REBUILD_SPAWNING = "rebuild_spawning"
    MIGRATING = "migrating"
    DELETING = "deleting"
    SOFT_DELETING = "soft-deleting"
    RESTORING = "restoring"
    SHELVING = "shelving"
    SHELVING_IMAGE_PENDING_UPLOAD = "shelving_image_pending_upload"
    SHELVING_IMAGE_UPLOADING = "shelving_image_uploading"
    SHELVING_OFFLOADING = "shelving_offloading"
    UNSHELVING = "unshelving"


class Power(enum.IntEnum):
    """``power_state``: what the hypervisor says, with the API's numbers."""

    NOSTATE = 0
    RUNNING = 1
    PAUSED = 3
    SHUTDOWN = 4
    CRASHED = 6
    SUSPENDED = 7


class Capability(enum.StrEnum):
    """What a driver may be able to do beyond bringing guests up and down.

    A host reports its set; the API's answers, the scheduler and the support matrix read it.
    """

    REBOOT_SOFT = "reboot_soft"
    PAUSE = "pause"
    SUSPEND = "suspend"
    RESCUE = "rescue"
    SNAPSHOT = "snapshot"
    CONSOLE_LOG = "console_log"
    VNC = "vnc"
    SPICE = "spice"
    SERIAL = "serial"
    CRASH_DUMP = "crash_dump"
    SET_PASSWORD = "set_password"
    DIAGNOSTICS = "diagnostics"
    ATTACH_INTERFACE = "attach_interface"
    ATTACH_VOLUME = "attach_volume"
    CONFIG_DRIVE = "config_drive"
    LIFECYCLE_EVENTS = "lifecycle_events"


class LockedBy(enum.StrEnum):
    """Who locked an instance: its owner or an administrator."""

    OWNER = "owner"
    ADMIN = "admin"
