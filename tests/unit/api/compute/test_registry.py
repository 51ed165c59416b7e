"""All registered resources together."""

from __future__ import annotations

import pytest

from nova.api.compute import absent, app, registry, versions, volumes_boot
from nova.api.wsgi.editions import Editions
from nova.api.wsgi.openapi import document
from nova.api.wsgi.operation import rules_of
from nova.api.wsgi.version import Version
from nova.clock import StoppedClock
from nova.conf.api import ApiConf
from nova.conf.policy import PolicyConf
from nova.identity.noauth import NoAuth
from tests.support.microversions import EVERY, NEWEST
from tests.unit.api.wsgi.boxes import Shelf
from tests.unit.api.wsgi.conftest import Caller

OPERATIONS = registry.operations()


@pytest.fixture(scope="module")
def call() -> Caller:
    clock = StoppedClock()
    shelf = Shelf([])
    parts = app.Parts(
        settings=ApiConf(),
        conductor=shelf,
        identity=NoAuth(),
        policy=app.policy_of(PolicyConf(), clock),
        clock=clock,
    )
    return Caller(app.build(parts), shelf)


GONE = [operation for operation in OPERATIONS if operation.gone]


@pytest.mark.parametrize("operation", GONE, ids=lambda operation: operation.name)
def test_what_is_gone_answers_410_at_every_version(call: Caller, operation) -> None:
    path = "/v2.1" + operation.path
    for name in operation.variables:
        path = path.replace("{" + name + "}", "1")
    body = {operation.action: None} if operation.action else None
    for version in ("2.1", NEWEST):
        answer = call(operation.method, path, body, version=version)
        assert answer.status_int == 410
        assert list(answer.json) == ["computeFault"]
        assert answer.headers["OpenStack-API-Version"] == f"compute {version}"


def test_names_are_unique_and_every_operation_has_a_life() -> None:
    editions = Editions(OPERATIONS, versions.history())
    for operation in OPERATIONS:
        since, until = editions.lifetime(operation)
        assert until is None or since <= until, operation.name


def test_every_story_in_the_history_can_be_compiled() -> None:
    history = versions.history()
    editions = Editions(OPERATIONS, history)
    for version in EVERY:
        for operation in OPERATIONS:
            if not operation.gone and editions.alive(operation, version):
                editions.of(operation, version)


def test_policy_rules_have_one_default_each() -> None:
    names = [rule.name for rule in rules_of(OPERATIONS)]
    assert len(names) == len(set(names))


def test_openapi_of_everything() -> None:
    described = document(OPERATIONS, Editions(OPERATIONS, versions.history()), EVERY[-1])
    assert described["openapi"].startswith("3.1")


ABSENT = absent.OPERATIONS


@pytest.mark.parametrize("operation", ABSENT, ids=lambda operation: operation.name)
def test_what_is_not_there_says_so_in_its_own_versions(call: Caller, operation) -> None:
    path = "/v2.1" + operation.path
    for name in operation.variables:
        path = path.replace("{" + name + "}", "1")
    body = {operation.action: None} if operation.action else None
    since, until = Editions(ABSENT, versions.history()).lifetime(operation)
    answer = call(operation.method, path, body, version=str(until or NEWEST))
    assert answer.status_int == 501
    assert answer.json["notImplemented"]["message"].endswith("this cloud does not offer that yet.")
    if since > Version(2, 1):
        assert call(operation.method, path, body, version="2.1").status_int == 404
    if until is not None:
        assert call(operation.method, path, body, version=NEWEST).status_int == 404


def test_nothing_is_both_there_and_not() -> None:
    places = [(one.method, one.path, one.action) for one in OPERATIONS]
    doubled = {place for place in places if places.count(place) > 1}
    assert doubled == set()


def test_servers_under_their_old_second_name() -> None:
    editions = Editions(OPERATIONS, versions.history())
    twins = {one.name: one for one in volumes_boot.OPERATIONS}
    assert len(twins) == 10
    for name, twin in twins.items():
        assert twin.path.startswith("/os-volumes_boot")
        assert editions.lifetime(twin) == (Version(2, 1), Version(2, 102)), name
