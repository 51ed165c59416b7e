"""The client where the broker goes away: what its caller is told, and may believe."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from nova.clock import StoppedClock
from nova.context import system_context
from nova.errors import Unavailable
from nova.errors.database import DatabaseUnavailable
from nova.errors.rpc import NoAnswer
from nova.objects.page import Page
from nova.rpc.client import ClientOptions, make_client
from nova.rpc.contracts.conductor import Conductor
from nova.rpc.metrics import RpcMetrics
from nova.rpc.payload import encode_error
from nova.rpc.transport import ReplyTimeout, Unconfirmed, Unreachable


class Away:
    """A transport whose broker is away; its first errors are told, then it refuses connections."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.tries = 0

    def call(self, *_: object) -> bytes:
        self.tries += 1
        if self._errors:
            raise self._errors.pop(0)
        return self.last()

    def last(self) -> bytes:
        raise Unreachable("connection refused")


class Refusing(Away):
    """A transport whose errors are told; then a server answers that it cannot do it now."""

    def last(self) -> bytes:
        return encode_error(DatabaseUnavailable())


def ask(transport: Any) -> None:
    options, metrics = ClientOptions(broker_wait_s=10.0), RpcMetrics(CollectorRegistry())
    client = make_client(Conductor, transport, metrics, clock=StoppedClock(), options=options)
    client.any.list_keypairs(system_context("req-1"), None, Page())


def test_nothing_was_changed_is_said_only_when_no_try_can_have_reached_a_server() -> None:
    transport = Away()
    with pytest.raises(Unavailable, match="Nothing was changed"):
        ask(transport)
    assert transport.tries > 3


@pytest.mark.parametrize("happened", [Unconfirmed("connection reset"), ReplyTimeout()])
def test_a_request_that_a_server_may_have_when_the_broker_goes_is_not_said_to_be_undone(
    happened: Exception,
) -> None:
    transport = Away(Unreachable("connection refused"), happened)
    with pytest.raises(NoAnswer) as told:
        ask(transport)
    assert "Nothing was changed" not in str(told.value)
    assert transport.tries > 3


def test_a_server_that_cannot_do_it_now_speaks_for_itself_alone() -> None:
    with pytest.raises(DatabaseUnavailable):
        ask(Refusing(Unreachable("connection refused")))
    with pytest.raises(NoAnswer):
        ask(Refusing(ReplyTimeout()))  # another server may be at the first copy
