"""Keystone through the real middleware, against a server that speaks its protocol."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import nova.conf
from nova.clock import Clock, StoppedClock
from nova.conf.identity import IdentityConf
from nova.errors.http import IdentityUnavailable, Unauthorized
from nova.identity import Credentials
from nova.identity.cache import CachedIdentity
from nova.identity.choice import identity_of
from nova.identity.keystone import KeystoneProver
from tests.support.keystone_double import KeystoneDouble


@pytest.fixture
def keystone() -> Iterator[KeystoneDouble]:
    double = KeystoneDouble()
    double.tokens["good"] = double.token("ann", roles=["Member", "reader"])
    double.tokens["svc"] = double.token("nova", roles=["service"])
    yield double
    double.close()


def configuration(tmp_path: Path, url: str) -> nova.conf.cfg.ConfigOpts:
    file = tmp_path / "nova.conf"
    file.write_text(
        f"""
[keystone_authtoken]
auth_type = password
auth_url = {url}
www_authenticate_uri = {url}
username = nova
password = secret
project_name = service
user_domain_id = default
project_domain_id = default
http_request_max_retries = 0
service_token_roles = service
"""
    )
    return nova.conf.load([], [str(file)])


def test_a_good_token(keystone: KeystoneDouble, tmp_path: Path) -> None:
    prover = KeystoneProver(configuration(tmp_path, keystone.url), Clock())
    proof = prover.prove(Credentials(token="good"))
    who = proof.principal
    assert (who.user_id, who.project_id, who.user_name) == ("ann-id", "project-id", "ann")
    assert who.roles == ("member", "reader")
    assert (who.user_domain_id, who.project_domain_id) == ("default", "default")
    assert 3500 < proof.good_for_s <= 3600
    prover.prove(Credentials(token="good"))
    assert keystone.asked["good"] == 2, "the middleware's own cache must be off"


def test_bad_tokens(keystone: KeystoneDouble, tmp_path: Path) -> None:
    prover = KeystoneProver(configuration(tmp_path, keystone.url), Clock())
    for shown in (Credentials(token="bad"), Credentials()):
        with pytest.raises(Unauthorized) as caught:
            prover.prove(shown)
        assert caught.value.challenge == f'Keystone uri="{keystone.url}"'


def test_service_tokens(keystone: KeystoneDouble, tmp_path: Path) -> None:
    prover = KeystoneProver(configuration(tmp_path, keystone.url), Clock())
    who = prover.prove(Credentials(token="good", service_token="svc")).principal
    assert who.service_roles == ("service",) and who.user_id == "ann-id"
    with pytest.raises(Unauthorized):
        prover.prove(Credentials(token="good", service_token="bad"))


def test_no_keystone(keystone: KeystoneDouble, tmp_path: Path) -> None:
    prover = KeystoneProver(configuration(tmp_path, keystone.url), Clock())
    keystone.close()
    with pytest.raises(IdentityUnavailable):
        prover.prove(Credentials(token="good"))


def test_restricted_application_credentials_are_not_remembered(
    keystone: KeystoneDouble, tmp_path: Path
) -> None:
    rules = [{"service": "compute", "method": "GET", "path": "/v2.1/servers"}]
    restricted = {"id": "c", "name": "c", "restricted": True, "access_rules": rules}
    token = keystone.token("ann", roles=["member"], application_credential=restricted)
    token["catalog"].append({"type": "compute", "name": "nova", "id": "n", "endpoints": []})
    keystone.tokens["app"] = token
    prover = KeystoneProver(configuration(tmp_path, keystone.url), Clock())
    assert prover.prove(Credentials(token="app", method="GET", path="/v2.1/servers")).good_for_s == 0
    with pytest.raises(Unauthorized):
        prover.prove(Credentials(token="app", method="DELETE", path="/v2.1/servers/1"))


def test_the_choice_is_cached(keystone: KeystoneDouble, tmp_path: Path) -> None:
    conf = configuration(tmp_path, keystone.url)
    identity = identity_of("keystone", conf, IdentityConf(), Clock())
    for _ in range(5):
        assert identity.authenticate(Credentials(token="good")).user_id == "ann-id"
    assert keystone.asked["good"] == 1


class TestCache:
    def cached(
        self, keystone: KeystoneDouble, tmp_path: Path, **options
    ) -> tuple[CachedIdentity, StoppedClock]:
        clock = StoppedClock(datetime.datetime.now(datetime.UTC))
        prover = KeystoneProver(configuration(tmp_path, keystone.url), clock)
        return CachedIdentity(prover, IdentityConf(**options), clock), clock

    def test_forgets_after_its_time(self, keystone: KeystoneDouble, tmp_path: Path) -> None:
        identity, clock = self.cached(keystone, tmp_path, token_cache_seconds=60.0)
        identity.authenticate(Credentials(token="good"))
        clock.advance(59)
        identity.authenticate(Credentials(token="good"))
        assert keystone.asked["good"] == 1
        del keystone.tokens["good"]
        clock.advance(2)
        with pytest.raises(Unauthorized):
            identity.authenticate(Credentials(token="good"))

    def test_never_outlives_the_token(self, keystone: KeystoneDouble, tmp_path: Path) -> None:
        keystone.tokens["short"] = keystone.token("ann", roles=["member"], lives_s=30)
        identity, clock = self.cached(keystone, tmp_path, token_cache_seconds=600.0)
        identity.authenticate(Credentials(token="short"))
        clock.advance(31)
        del keystone.tokens["short"]
        with pytest.raises(Unauthorized):
            identity.authenticate(Credentials(token="short"))

    def test_zero_asks_every_time(self, keystone: KeystoneDouble, tmp_path: Path) -> None:
        identity, _ = self.cached(keystone, tmp_path, token_cache_seconds=0.0)
        for _ in range(3):
            identity.authenticate(Credentials(token="good"))
        assert keystone.asked["good"] == 3

    def test_refusals_are_not_remembered(self, keystone: KeystoneDouble, tmp_path: Path) -> None:
        identity, _ = self.cached(keystone, tmp_path)
        with pytest.raises(Unauthorized):
            identity.authenticate(Credentials(token="late"))
        keystone.tokens["late"] = keystone.token("ann", roles=["member"])
        assert identity.authenticate(Credentials(token="late")).user_id == "ann-id"

    def test_a_crowd_asks_once(self, keystone: KeystoneDouble, tmp_path: Path) -> None:
        identity, _ = self.cached(keystone, tmp_path)
        crowd = [
            threading.Thread(target=identity.authenticate, args=(Credentials(token="good"),))
            for _ in range(8)
        ]
        for one in crowd:
            one.start()
        for one in crowd:
            one.join(20)
        assert keystone.asked["good"] == 1

    def test_stays_small(self, keystone: KeystoneDouble, tmp_path: Path) -> None:
        identity, _ = self.cached(keystone, tmp_path, token_cache_size=3)
        for number in range(8):
            keystone.tokens[f"t{number}"] = keystone.token("ann", roles=["member"])
            identity.authenticate(Credentials(token=f"t{number}"))
        assert len(identity._known) <= 3

    def test_a_service_token_is_part_of_the_key(self, keystone: KeystoneDouble, tmp_path: Path) -> None:
        identity, _ = self.cached(keystone, tmp_path)
        assert identity.authenticate(Credentials(token="good", service_token="svc")).service_roles == (
            "service",
        )
        assert identity.authenticate(Credentials(token="good")).service_roles == ()
