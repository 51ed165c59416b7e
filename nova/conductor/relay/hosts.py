"""Asking the host of an instance."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import quote

from nova.conductor.services.lookup import living
from nova.conductor.services.services import hosts_up
from nova.context import RequestContext
from nova.db.engine import Tx
from nova.errors import BadRequest
from nova.errors.servers import InstanceChanged, InstanceHasNoGuest, InstanceHasNoHost, ServiceDown
from nova.errors.virt import GuestNotFound
from nova.lifecycle.actions import ACTIONS
from nova.lifecycle.admission import check
from nova.objects.console import ConsoleAuthorization, ConsoleLink
from nova.objects.guest import Diagnostics
from nova.objects.ids import HostName, InstanceId
from nova.objects.instance import Instance
from nova.rpc.contracts.compute import Compute

if TYPE_CHECKING:
    from nova.conductor.world import World

_OPENINGS = 3


@contextlib.contextmanager
def _guest_of(instance: Instance) -> Iterator[None]:
    """Tell that an instance is not ready where its host does not know it: the instance itself is there."""
    try:
        yield
    except GuestNotFound:
        raise InstanceHasNoGuest(id=instance.id) from None


def _ask(world: World, ctx: RequestContext, instance_id: InstanceId, action: str) -> tuple[Instance, Compute]:
    def work(tx: Tx) -> tuple[Instance, HostName]:
        instance = living(tx, ctx, instance_id)
        check(ACTIONS[action], instance, is_admin=ctx.is_admin)
        if instance.host is None:
            raise InstanceHasNoHost(id=instance_id)
        if not hosts_up(world, tx, [instance.host]):
            raise ServiceDown(host=instance.host)
        return instance, instance.host

    instance, host = world.db.read(work)
    return instance, world.compute.host(host)


def console_output(world: World, ctx: RequestContext, instance_id: InstanceId, tail: int | None) -> str:
    """Return the end of a guest's console log."""
    instance, host = _ask(world, ctx, instance_id, "getConsoleOutput")
    with _guest_of(instance):
        return host.console_output(ctx, instance_id, tail)


def diagnostics(world: World, ctx: RequestContext, instance_id: InstanceId) -> Diagnostics:
    """Return a guest's counters."""
    instance, host = _ask(world, ctx, instance_id, "diagnostics")
    with _guest_of(instance):
        return host.diagnostics(ctx, instance_id)


def open_console(
    world: World, ctx: RequestContext, instance_id: InstanceId, protocol: str, kind: str
) -> ConsoleLink:
    """Have a token made for the guest's console and return the link that carries it."""
    if (protocol, kind) != ("vnc", "novnc"):
        raise BadRequest(reason=f"Unavailable console type {kind}.")
    for _ in range(_OPENINGS - 1):
        with contextlib.suppress(InstanceChanged):  # was it started anew, its console is elsewhere
            return _open(world, ctx, instance_id, protocol, kind)
    return _open(world, ctx, instance_id, protocol, kind)


def _open(
    world: World, ctx: RequestContext, instance_id: InstanceId, protocol: str, kind: str
) -> ConsoleLink:
    instance, host = _ask(world, ctx, instance_id, "getConsole")
    with _guest_of(instance):
        target = host.vnc(ctx, instance_id)
    token = world.consoleauth.any.authorize(
        ctx,
        ConsoleAuthorization(
            instance_id=instance.id,
            protocol=protocol,
            type=kind,
            host=target.host,
            port=target.port,
            internal_path=target.internal_path,
            expires_in_s=world.settings.console_token_s,
            revision=instance.revision,
        ),
    )
    path = quote(f"?token={token}", safe="")
    return ConsoleLink(protocol=protocol, type=kind, url=f"{world.settings.novnc_url}?path={path}")
