"""The whole Compute API over something that stands where the conductor's client stands."""

from __future__ import annotations

from typing import Any

from nova.api.compute import app
from nova.clock import StoppedClock
from nova.conf.api import ApiConf
from nova.conf.policy import PolicyConf
from nova.identity.noauth import NoAuth
from tests.unit.api.wsgi.conftest import Caller

ADMIN = "admin:aaaa0000"
USER = "joe:aaaa1111"


def site(conductor: Any, clock: StoppedClock | None = None, **parts: Any) -> Caller:
    """Return a caller of the API with every registered resource."""
    clock = clock or StoppedClock()
    made = app.Parts(
        settings=ApiConf(max_limit=5),
        conductor=conductor,
        identity=NoAuth(),
        policy=app.policy_of(PolicyConf(), clock),
        clock=clock,
        **parts,
    )
    return Caller(app.build(made), conductor)
