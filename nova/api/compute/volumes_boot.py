"""``/os-volumes_boot`` (until 2.102): servers under their old second name."""

from __future__ import annotations

import msgspec

from nova.api.compute import servers
from nova.api.wsgi.operation import Operation

_TWINS = frozenset(
    {
        "servers.index",
        "servers.detail",
        "servers.create",
        "servers.show",
        "servers.update",
        "servers.delete",
        "servers.createImage",
        "servers.os-start",
        "servers.os-stop",
        "servers.reboot",
    }
)


def _twin(operation: Operation) -> Operation:
    return msgspec.structs.replace(
        operation,
        name=operation.name.replace("servers.", "volumes_boot."),
        path=operation.path.replace("/servers", "/os-volumes_boot"),
        history=operation.name,
    )


OPERATIONS = tuple(_twin(operation) for operation in servers.OPERATIONS if operation.name in _TWINS)
