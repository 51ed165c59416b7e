"""What nova-consoleauth keeps in SQL through the conductor."""

from __future__ import annotations

from nova.context import RequestContext
from nova.objects.console import ConsoleAuthorization
from nova.objects.ids import InstanceId
from nova.rpc.contract import call
from nova.rpc.contracts.conductor.head import part


@part
class ConsoleTokens:
    """Tokens arrive hashed; the conductor never sees one."""

    @call(since="1.0", timeout=20, idempotent=True)
    def save_console_token(self, ctx: RequestContext, token_hash: str, target: ConsoleAuthorization) -> None:
        """Keep a token for ``target.expires_in_s`` seconds."""

    @call(since="1.0", timeout=20, idempotent=True)
    def find_console_token(self, ctx: RequestContext, token_hash: str) -> ConsoleAuthorization | None:
        """Look a token up; none when unknown, expired, or its instance moved, stopped or is gone."""

    @call(since="1.0", timeout=20, idempotent=True)
    def drop_console_tokens(self, ctx: RequestContext, instance: InstanceId) -> None:
        """Forget the tokens of an instance."""
