"""The RPC face of nova-consoleauth."""

from __future__ import annotations

import hashlib
import os

from nova import __version__, ids
from nova.context import RequestContext
from nova.objects.console import ConsoleAuthorization
from nova.objects.ids import InstanceId
from nova.rpc.contracts.base import DaemonFacts
from nova.rpc.contracts.conductor.consoles import ConsoleTokens

BINARY = "nova-consoleauth"


class Endpoint:
    """Implements ``contracts.consoleauth``."""

    def __init__(self, host: str, tokens: ConsoleTokens) -> None:
        self._host = host
        self._tokens = tokens

    def ping(self, ctx: RequestContext) -> DaemonFacts:
        """Tell who answers."""
        del ctx
        return DaemonFacts(binary=BINARY, host=self._host, version=__version__, pid=os.getpid())

    def authorize(self, ctx: RequestContext, target: ConsoleAuthorization) -> str:
        """Make a token; it leaves this daemon once, in this answer."""
        token = ids.new_token()
        self._tokens.save_console_token(ctx, hashed(token), target)
        return token

    def check(self, ctx: RequestContext, token: str) -> ConsoleAuthorization | None:
        """Tell what a token stands for."""
        return self._tokens.find_console_token(ctx, hashed(token))

    def forget(self, ctx: RequestContext, instance: InstanceId) -> None:
        """Revoke the tokens of an instance."""
        self._tokens.drop_console_tokens(ctx, instance)


def hashed(token: str) -> str:
    """Return what is stored of a token (it has 256 random bits: no salt is needed)."""
    return hashlib.sha256(token.encode()).hexdigest()
