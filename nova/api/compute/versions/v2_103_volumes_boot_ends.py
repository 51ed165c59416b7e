"""2.103: the boot-from-volume resource ends."""

from __future__ import annotations

from nova.api.compute.versions.base import Change

CHANGE = Change(
    version="2.103",
    summary="The boot-from-volume resource ends.",
    ends_operations=(
        "volumes_boot.confirmResize",
        "volumes_boot.create",
        "volumes_boot.createImage",
        "volumes_boot.delete",
        "volumes_boot.detail",
        "volumes_boot.index",
        "volumes_boot.os-start",
        "volumes_boot.os-stop",
        "volumes_boot.reboot",
        "volumes_boot.rebuild",
        "volumes_boot.resize",
        "volumes_boot.revertResize",
        "volumes_boot.show",
        "volumes_boot.trigger_crash_dump",
        "volumes_boot.update",
    ),
)
