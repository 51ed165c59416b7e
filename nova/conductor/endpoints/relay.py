"""Requests that wait for a host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nova.conductor.relay import hosts
from nova.context import RequestContext
from nova.objects.console import ConsoleLink
from nova.objects.guest import Diagnostics
from nova.objects.ids import InstanceId

if TYPE_CHECKING:
    from nova.conductor.world import World


class RelayEndpoint:
    """Implements ``contracts.conductor.relay``."""

    world: World

    def console_output(self, ctx: RequestContext, instance: InstanceId, tail: int | None) -> str:
        return hosts.console_output(self.world, ctx, instance, tail)

    def open_console(
        self, ctx: RequestContext, instance: InstanceId, protocol: str, kind: str
    ) -> ConsoleLink:
        return hosts.open_console(self.world, ctx, instance, protocol, kind)

    def diagnostics(self, ctx: RequestContext, instance: InstanceId) -> Diagnostics:
        return hosts.diagnostics(self.world, ctx, instance)
