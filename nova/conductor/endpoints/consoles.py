"""Console tokens for nova-consoleauth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nova.conductor.services import console_tokens
from nova.context import RequestContext
from nova.objects.console import ConsoleAuthorization
from nova.objects.ids import InstanceId

if TYPE_CHECKING:
    from nova.conductor.world import World


class ConsoleTokensEndpoint:
    """Answers :class:`nova.rpc.contracts.conductor.consoles.ConsoleTokens`."""

    world: World

    def save_console_token(self, ctx: RequestContext, token_hash: str, target: ConsoleAuthorization) -> None:
        console_tokens.save(self.world, token_hash, target)

    def find_console_token(self, ctx: RequestContext, token_hash: str) -> ConsoleAuthorization | None:
        return console_tokens.find(self.world, token_hash)

    def drop_console_tokens(self, ctx: RequestContext, instance: InstanceId) -> None:
        console_tokens.drop(self.world, instance)
