"""What every daemon answers."""

from __future__ import annotations

from nova.context import RequestContext
from nova.objects.base import Value
from nova.rpc.contract import call


class DaemonFacts(Value, frozen=True, kw_only=True):
    """Who is answering."""

    binary: str
    host: str
    version: str
    pid: int = 0


class Common:
    """Part of every contract."""

    @call(since="1.0", timeout=10, idempotent=True)
    def ping(self, ctx: RequestContext) -> DaemonFacts:
        """Answer at once."""
