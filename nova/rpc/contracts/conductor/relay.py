"""Requests that ask a host now and wait for it: a topic and pool of their own."""

from __future__ import annotations

from nova.context import RequestContext
from nova.objects.console import ConsoleLink
from nova.objects.guest import Diagnostics
from nova.objects.ids import InstanceId
from nova.rpc.contract import call, contract


@contract(topic="conductor-relay", version="1.0")
class Relay:
    """The conductor finds the host, asks it, and hands the answer on."""

    @call(since="1.0", timeout=60, idempotent=True)
    def console_output(self, ctx: RequestContext, instance: InstanceId, tail: int | None) -> str:
        """Return the last lines of a console log."""

    @call(since="1.0", timeout=60, idempotent=True)
    def open_console(
        self, ctx: RequestContext, instance: InstanceId, protocol: str, kind: str
    ) -> ConsoleLink:
        """Make a console link, e.g. protocol ``vnc`` and kind ``novnc``."""

    @call(since="1.0", timeout=60, idempotent=True)
    def diagnostics(self, ctx: RequestContext, instance: InstanceId) -> Diagnostics:
        """Return a guest's counters."""
