from __future__ import annotations

import inspect

import pytest

from nova.conductor.endpoint import ConductorEndpoint
from nova.rpc.contract import describe
from nova.rpc.contracts.conductor import Conductor


@pytest.mark.parametrize("name", sorted(describe(Conductor).methods))
def test_every_request_is_answered_with_the_contract_s_own_arguments(name: str) -> None:
    promised = inspect.signature(getattr(Conductor, name))
    kept = inspect.signature(getattr(ConductorEndpoint, name))
    assert list(kept.parameters) == list(promised.parameters)
    assert kept.return_annotation == promised.return_annotation
