"""Key pairs and limits."""

from __future__ import annotations

import datetime

import pytest

from nova.errors.servers import KeyPairNotFound
from nova.objects.keypair import KeyPair, NewKeyPair
from nova.objects.quota import QuotaSet
from tests.unit.api.compute.site import ADMIN, site
from tests.unit.api.wsgi.conftest import Caller

BORN = datetime.datetime(2030, 1, 2, 3, 4, 5, 6, tzinfo=datetime.UTC)


class Keys:
    """Keeps key pairs as the conductor would."""

    def __init__(self) -> None:
        self.pairs: dict[tuple[str, str], KeyPair] = {}

    def list_keypairs(self, ctx, user_id, page):
        rows = sorted((p for p in self.pairs.values() if p.user_id == user_id), key=lambda p: p.name)
        rows = [pair for pair in rows if page.marker is None or pair.name > page.marker]
        return rows[: page.limit]

    def show_keypair(self, ctx, name, user_id):
        if (user_id, name) not in self.pairs:
            raise KeyPairNotFound(name=name, user_id=user_id)
        return self.pairs[user_id, name]

    def create_keypair(self, ctx, name, public_key, kind, user_id):
        pair = KeyPair(
            user_id=user_id,
            name=name,
            public_key=public_key or "ssh-rsa made",
            fingerprint="aa:bb",
            type=kind,
            id=len(self.pairs) + 1,
            created_at=BORN,
        )
        self.pairs[user_id, name] = pair
        return NewKeyPair(keypair=pair, private_key=None if public_key else "SECRET")

    def delete_keypair(self, ctx, name, user_id):
        del self.pairs[user_id, self.show_keypair(ctx, name, user_id).name]

    def show_quotas(self, ctx, project, user_id):
        return QuotaSet(
            project_id=project, limits={"instances": 10, "cores": 20, "key_pairs": 100}, used={"instances": 3}
        )


@pytest.fixture
def call() -> Caller:
    return site(Keys())


def make(call: Caller, name: str, **more: object) -> dict:
    body = {"keypair": {"name": name, "public_key": "ssh-rsa AAAA", **more}}
    answer = call("POST", "/v2.1/os-keypairs", body, version="2.104")
    assert answer.status_int == 201
    return answer.json["keypair"]


def test_codes_and_fields_by_version(call: Caller) -> None:
    answer = call("POST", "/v2.1/os-keypairs", {"keypair": {"name": "k"}})
    assert answer.status_int == 200
    assert answer.json["keypair"] == {
        "name": "k",
        "public_key": "ssh-rsa made",
        "fingerprint": "aa:bb",
        "user_id": "joe",
        "private_key": "SECRET",
    }
    assert make(call, "a@b.c", type="x509")["type"] == "x509"
    shown = call("GET", "/v2.1/os-keypairs/k", version="2.2").json["keypair"]
    assert shown["created_at"] == "2030-01-02T03:04:05.000006"
    assert (shown["id"], shown["deleted"], shown["type"]) == (1, False, "ssh")
    assert call("DELETE", "/v2.1/os-keypairs/k").status_int == 202
    assert call("DELETE", "/v2.1/os-keypairs/a@b.c", version="2.2").status_int == 204
    assert call("GET", "/v2.1/os-keypairs/k").status_int == 404
    assert call("POST", "/v2.1/os-keypairs", {"keypair": {"name": "k"}}, version="2.92").status_int == 400


def test_pages(call: Caller) -> None:
    for name in "cab":
        make(call, name)
    answer = call("GET", "/v2.1/os-keypairs?limit=2", version="2.35")
    assert [row["keypair"]["name"] for row in answer.json["keypairs"]] == ["a", "b"]
    assert answer.json["keypairs_links"][0]["href"].endswith("limit=2&marker=b")
    assert len(call("GET", "/v2.1/os-keypairs?limit=2", version="2.34").json["keypairs"]) == 3
    assert call("GET", "/v2.1/os-keypairs?limit=0", version="2.35").json == {"keypairs": []}


def test_key_pairs_of_others_are_for_administrators(call: Caller) -> None:
    make(call, "mine")
    path = "/v2.1/os-keypairs?user_id=joe"
    assert len(call("GET", path, version="2.10", user=ADMIN).json["keypairs"]) == 1
    assert call("GET", path, version="2.10", user="eve:aaaa1111").status_int == 403
    assert call("GET", path, user="eve:aaaa1111").json == {"keypairs": []}
    body = {"keypair": {"name": "x", "public_key": "k", "user_id": "joe"}}
    assert call("POST", "/v2.1/os-keypairs", body, version="2.92", user="eve:aaaa1111").status_int == 403
    assert call("DELETE", "/v2.1/os-keypairs/mine?user_id=joe", version="2.10", user=ADMIN).status_int == 204


def test_limits(call: Caller) -> None:
    old = call("GET", "/v2.1/limits").json["limits"]
    assert old["rate"] == []
    assert old["absolute"]["maxTotalInstances"] == 10
    assert old["absolute"]["totalInstancesUsed"] == 3
    assert old["absolute"]["maxTotalRAMSize"] == -1
    assert len(old["absolute"]) == 19
    new = call("GET", "/v2.1/limits", version="2.57").json["limits"]
    assert len(new["absolute"]) == 11
    assert call("GET", "/v2.1/limits?tenant_id=bbbb").status_int == 403
    assert call("GET", "/v2.1/limits?tenant_id=bbbb", user=ADMIN).status_int == 200
