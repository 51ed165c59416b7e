"""Where the same thing is shown by several operations."""

from __future__ import annotations

from collections.abc import Mapping

Places = Mapping[str, str]
"""Operation name to the path prefix of the thing in its answer."""

SERVER_READS: Places = {"servers.detail": "servers[].", "servers.show": "server."}
SERVER_WRITES: Places = {"servers.update": "server.", "servers.rebuild": "server."}
SERVERS: Places = {**SERVER_READS, **SERVER_WRITES}
ONE_SERVER: Places = {"servers.show": "server.", **SERVER_WRITES}
SERVER_GROUPS: Places = {
    "server_groups.index": "server_groups[].",
    "server_groups.create": "server_group.",
    "server_groups.show": "server_group.",
}
FLAVORS: Places = {
    "flavors.create": "flavor.",
    "flavors.detail": "flavors[].",
    "flavors.show": "flavor.",
    "flavors.update": "flavor.",
}
QUOTA_SETS: Places = {f"quota_sets.{name}": "quota_set." for name in ("show", "update", "detail", "defaults")}
QUOTA_CLASSES: Places = {f"quota_classes.{name}": "quota_class_set." for name in ("show", "update")}
HYPERVISORS: Places = {"hypervisors.detail": "hypervisors[].", "hypervisors.show": "hypervisor."}
AGGREGATES: Places = {
    "aggregates.index": "aggregates[].",
    **{
        f"aggregates.{name}": "aggregate."
        for name in ("create", "show", "update", "add_host", "remove_host", "set_metadata")
    },
}
SERVER_MIGRATIONS: Places = {
    "server_migrations.index": "migrations[].",
    "server_migrations.show": "migration.",
}
MIGRATIONS: Places = {"migrations.index": "migrations[].", **SERVER_MIGRATIONS}
ATTACHMENT_READS: Places = {
    "volume_attachments.index": "volumeAttachments[].",
    "volume_attachments.show": "volumeAttachment.",
}
ATTACHMENTS: Places = {**ATTACHMENT_READS, "volume_attachments.create": "volumeAttachment."}
INTERFACES: Places = {
    "attach_interfaces.index": "interfaceAttachments[].",
    "attach_interfaces.create": "interfaceAttachment.",
    "attach_interfaces.show": "interfaceAttachment.",
}


def at(places: Places, *keys: str) -> dict[str, tuple[str, ...]]:
    """Return, for each operation of some places, the full paths of keys."""
    return {name: tuple(prefix + key for key in keys) for name, prefix in places.items()}


def join(*parts: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Return the union of several path tables."""
    joined: dict[str, tuple[str, ...]] = {}
    for part in parts:
        for name, paths in part.items():
            joined[name] = (*joined.get(name, ()), *paths)
    return joined
