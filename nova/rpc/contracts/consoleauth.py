"""nova-consoleauth."""

from __future__ import annotations

from nova.context import RequestContext
from nova.objects.console import ConsoleAuthorization
from nova.objects.ids import InstanceId
from nova.rpc.contract import call, contract
from nova.rpc.contracts.base import Common


@contract(topic="consoleauth", version="1.2")
class Consoleauth(Common):
    """Keeps console tokens: short-lived, hashed at rest, bound to instance, host and port."""

    @call(since="1.0", timeout=45, idempotent=True)
    def authorize(self, ctx: RequestContext, target: ConsoleAuthorization) -> str:
        """Make a token for this console and return it; it is never told again.

        A second copy makes a second token, which nobody hears of and which ends with its time.
        """

    @call(since="1.0", timeout=10, idempotent=True)
    def check(self, ctx: RequestContext, token: str) -> ConsoleAuthorization | None:
        """Tell what a token stands for; none when it is unknown, expired or revoked."""

    @call(since="1.0", timeout=10, idempotent=True)
    def forget(self, ctx: RequestContext, instance: InstanceId) -> None:
        """Revoke every token of an instance."""
