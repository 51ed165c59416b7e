"""What the API's versions announce and this release does not do: answered with 501 and a sentence, as data.

A row goes when its subject comes.  Life spans are those of the history, so what a microversion does not know
is 404 here too.
"""

from __future__ import annotations

from typing import NoReturn

from nova.api.wsgi.operation import Operation
from nova.api.wsgi.request import Request
from nova.errors import Unsupported

_ACTIONS = (
    ("servers.resize", "resize", "Resizing servers"),
    ("servers.confirmResize", "confirmResize", "Resizing servers"),
    ("servers.revertResize", "revertResize", "Resizing servers"),
    ("servers.rebuild", "rebuild", "Rebuilding servers"),
    ("servers.trigger_crash_dump", "trigger_crash_dump", "Making crash dumps"),
    ("rescue.rescue", "rescue", "Rescuing servers"),
    ("rescue.unrescue", "unrescue", "Rescuing servers"),
    ("shelve.shelve", "shelve", "Shelving servers"),
    ("shelve.shelveOffload", "shelveOffload", "Shelving servers"),
    ("shelve.unshelve", "unshelve", "Shelving servers"),
    ("migrate_server.migrate", "migrate", "Moving servers between hosts"),
    ("migrate_server.os-migrateLive", "os-migrateLive", "Moving servers between hosts"),
    ("evacuate.evacuate", "evacuate", "Moving servers between hosts"),
    ("admin_password.changePassword", "changePassword", "Changing passwords inside of servers"),
    ("create_backup.createBackup", "createBackup", "Rotating backups (createImage makes single images)"),
    ("deferred_delete.restore", "restore", "Restoring deleted servers"),
    ("multinic.addFixedIp", "addFixedIp", "Changing the addresses of a server"),
    ("multinic.removeFixedIp", "removeFixedIp", "Changing the addresses of a server"),
    ("floating_ips.addFloatingIp", "addFloatingIp", "Floating addresses"),
    ("floating_ips.removeFloatingIp", "removeFloatingIp", "Floating addresses"),
)
_SERVER = "/servers/{server_id}"
_MOVES = f"{_SERVER}/migrations"
_PORTS = f"{_SERVER}/os-interface"
_VOLUMES = f"{_SERVER}/os-volume_attachments"
_SHARES = f"{_SERVER}/shares"
_BOOT = "/os-volumes_boot/{id}/action"
_METAL = "/os-baremetal-nodes"
_ROUTES = (
    ("attach_interfaces.create", "POST", _PORTS, "", "Attaching interfaces to a server"),
    ("attach_interfaces.delete", "DELETE", f"{_PORTS}/{{id}}", "", "Detaching interfaces of a server"),
    ("volume_attachments.create", "POST", _VOLUMES, "", "Volumes"),
    ("volume_attachments.update", "PUT", f"{_VOLUMES}/{{id}}", "", "Volumes"),
    ("volume_attachments.delete", "DELETE", f"{_VOLUMES}/{{id}}", "", "Volumes"),
    ("server_shares.index", "GET", _SHARES, "", "Shares"),
    ("server_shares.create", "POST", _SHARES, "", "Shares"),
    ("server_shares.show", "GET", f"{_SHARES}/{{id}}", "", "Shares"),
    ("server_shares.delete", "DELETE", f"{_SHARES}/{{id}}", "", "Shares"),
    ("server_migrations.index", "GET", _MOVES, "", "Moving servers between hosts"),
    ("server_migrations.show", "GET", f"{_MOVES}/{{id}}", "", "Moving servers between hosts"),
    ("server_migrations.delete", "DELETE", f"{_MOVES}/{{id}}", "", "Moving servers between hosts"),
    (
        "server_migrations.force_complete",
        "POST",
        f"{_MOVES}/{{id}}/action",
        "force_complete",
        "Moving servers between hosts",
    ),
    ("migrations.index", "GET", "/os-migrations", "", "Moving servers between hosts"),
    ("server_external_events.create", "POST", "/os-server-external-events", "", "Events of other services"),
    ("assisted_volume_snapshots.create", "POST", "/os-assisted-volume-snapshots", "", "Volumes"),
    ("assisted_volume_snapshots.delete", "DELETE", "/os-assisted-volume-snapshots/{id}", "", "Volumes"),
    ("instance_usage_audit_log.index", "GET", "/os-instance_usage_audit_log", "", "Usage audits"),
    ("instance_usage_audit_log.show", "GET", "/os-instance_usage_audit_log/{id}", "", "Usage audits"),
    ("floating_ip_pools.index", "GET", "/os-floating-ip-pools", "", "Floating addresses"),
    ("floating_ips.index", "GET", "/os-floating-ips", "", "Floating addresses"),
    ("floating_ips.create", "POST", "/os-floating-ips", "", "Floating addresses"),
    ("floating_ips.show", "GET", "/os-floating-ips/{id}", "", "Floating addresses"),
    ("floating_ips.delete", "DELETE", "/os-floating-ips/{id}", "", "Floating addresses"),
    ("volumes.index", "GET", "/os-volumes", "", "Volumes"),
    ("volumes.create", "POST", "/os-volumes", "", "Volumes"),
    ("volumes.detail", "GET", "/os-volumes/detail", "", "Volumes"),
    ("volumes.show", "GET", "/os-volumes/{id}", "", "Volumes"),
    ("volumes.delete", "DELETE", "/os-volumes/{id}", "", "Volumes"),
    ("snapshots.index", "GET", "/os-snapshots", "", "Volumes"),
    ("snapshots.create", "POST", "/os-snapshots", "", "Volumes"),
    ("snapshots.detail", "GET", "/os-snapshots/detail", "", "Volumes"),
    ("snapshots.show", "GET", "/os-snapshots/{id}", "", "Volumes"),
    ("snapshots.delete", "DELETE", "/os-snapshots/{id}", "", "Volumes"),
    ("volumes_boot.confirmResize", "POST", _BOOT, "confirmResize", "Resizing servers"),
    ("volumes_boot.rebuild", "POST", _BOOT, "rebuild", "Rebuilding servers"),
    ("volumes_boot.resize", "POST", _BOOT, "resize", "Resizing servers"),
    ("volumes_boot.revertResize", "POST", _BOOT, "revertResize", "Resizing servers"),
    ("volumes_boot.trigger_crash_dump", "POST", _BOOT, "trigger_crash_dump", "Making crash dumps"),
    ("baremetal_nodes.index", "GET", _METAL, "", "Bare metal"),
    ("baremetal_nodes.create", "POST", _METAL, "", "Bare metal"),
    ("baremetal_nodes.show", "GET", f"{_METAL}/{{id}}", "", "Bare metal"),
    ("baremetal_nodes.delete", "DELETE", f"{_METAL}/{{id}}", "", "Bare metal"),
    ("baremetal_nodes.add_interface", "POST", f"{_METAL}/{{id}}/action", "add_interface", "Bare metal"),
    ("baremetal_nodes.remove_interface", "POST", f"{_METAL}/{{id}}/action", "remove_interface", "Bare metal"),
)


def _absent(name: str, method: str, path: str, action: str, subject: str) -> Operation:
    def refuse(req: Request, **variables: str) -> NoReturn:
        del req, variables
        raise Unsupported(reason=f"{subject}: this cloud does not offer that yet.")

    return Operation(
        name=name,
        method=method,
        path=path,
        action=action or None,
        handler=refuse,
        policy=None,
        summary=f"{subject}: not there yet (501).",
    )


OPERATIONS = (
    *(_absent(name, "POST", "/servers/{id}/action", key, subject) for name, key, subject in _ACTIONS),
    *(_absent(*row) for row in _ROUTES),
)
