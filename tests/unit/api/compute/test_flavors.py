"""Flavors, their access lists and extra specs."""

from __future__ import annotations

import msgspec
import pytest

from nova.clock import StoppedClock
from nova.errors.admin import FlavorIsPublic
from nova.errors.servers import FlavorNotFound
from nova.objects.flavor import Flavor, FlavorAccess
from tests.unit.api.compute.site import ADMIN, USER, site
from tests.unit.api.wsgi.conftest import Caller


class Catalog:
    """Keeps flavors as the conductor would."""

    def __init__(self) -> None:
        self.flavors = {
            flavor.id: flavor
            for flavor in (
                Flavor(id="1", name="tiny", vcpus=1, ram_mb=512, root_gb=1),
                Flavor(id="2", name="small", vcpus=1, ram_mb=2048, root_gb=20, swap_mb=64),
                Flavor(id="3", name="large", vcpus=4, ram_mb=8192, root_gb=80, extra_specs={"hw:x": "y"}),
                Flavor(id="9", name="private", vcpus=1, ram_mb=64, is_public=False),
            )
        }
        self.access: list[tuple[str, str]] = []
        self.lists = 0

    def list_flavors(self, ctx, page, is_public, min_ram_mb, min_disk_gb):
        self.lists += 1
        return [
            flavor
            for flavor in self.flavors.values()
            if is_public is None
            or flavor.is_public == is_public
            or (is_public and (flavor.id, ctx.project_id) in self.access)
        ]

    def show_flavor(self, ctx, flavor):
        found = self.flavors.get(flavor)
        if found is None or not (found.is_public or ctx.is_admin):
            raise FlavorNotFound(id=flavor)
        return found

    def create_flavor(self, ctx, flavor):
        self.flavors[flavor.id] = flavor
        return flavor

    def update_flavor(self, ctx, flavor, description):
        changed = msgspec.structs.replace(self.show_flavor(ctx, flavor), description=description)
        self.flavors[flavor] = changed
        return changed

    def delete_flavor(self, ctx, flavor):
        del self.flavors[self.show_flavor(ctx, flavor).id]

    def put_extra_specs(self, ctx, flavor, specs):
        known = self.show_flavor(ctx, flavor)
        self.flavors[flavor] = msgspec.structs.replace(known, extra_specs={**known.extra_specs, **specs})
        return self.flavors[flavor].extra_specs

    def delete_extra_spec(self, ctx, flavor, key):
        specs = dict(self.show_flavor(ctx, flavor).extra_specs)
        del specs[key]
        self.flavors[flavor] = msgspec.structs.replace(self.flavors[flavor], extra_specs=specs)

    def list_flavor_access(self, ctx, flavor):
        if self.flavors[flavor].is_public:
            raise FlavorIsPublic()
        return [FlavorAccess(flavor_id=f, project_id=p) for f, p in self.access if f == flavor]

    def add_flavor_access(self, ctx, flavor, project):
        self.access.append((flavor, project))

    def remove_flavor_access(self, ctx, flavor, project):
        self.access.remove((flavor, project))


CLOCK = StoppedClock()


@pytest.fixture
def call() -> Caller:
    return site(Catalog(), CLOCK)


def test_the_short_list_has_pages(call: Caller) -> None:
    answer = call("GET", "/v2.1/flavors?limit=2", version="2.104")
    assert [flavor["name"] for flavor in answer.json["flavors"]] == ["tiny", "small"]
    assert set(answer.json["flavors"][0]) == {"id", "name", "links", "description"}
    follow = answer.json["flavors_links"][0]["href"]
    assert follow == "http://localhost/v2.1/flavors?limit=2&marker=2"
    answer = call("GET", follow.removeprefix("http://localhost"), version="2.104")
    assert [flavor["name"] for flavor in answer.json["flavors"]] == ["large"]
    assert "flavors_links" not in answer.json
    assert call("GET", "/v2.1/flavors?marker=nope").status_int == 400


def test_the_first_version_shows_what_it_knew(call: Caller) -> None:
    flavors = {flavor["id"]: flavor for flavor in call("GET", "/v2.1/flavors/detail").json["flavors"]}
    assert flavors["1"] == {
        "id": "1",
        "name": "tiny",
        "ram": 512,
        "disk": 1,
        "vcpus": 1,
        "swap": "",
        "OS-FLV-EXT-DATA:ephemeral": 0,
        "OS-FLV-DISABLED:disabled": False,
        "os-flavor-access:is_public": True,
        "rxtx_factor": 1.0,
        "links": [
            {"rel": "self", "href": "http://localhost/v2.1/flavors/1"},
            {"rel": "bookmark", "href": "http://localhost/flavors/1"},
        ],
    }
    assert flavors["2"]["swap"] == 64


def test_the_newest_version_shows_extra_specs(call: Caller) -> None:
    flavor = call("GET", "/v2.1/flavors/3", version="2.104").json["flavor"]
    assert flavor["extra_specs"] == {"hw:x": "y"}
    assert flavor["swap"] == 0
    assert not {"rxtx_factor", "OS-FLV-DISABLED:disabled"} & set(flavor)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("minRam=2048", ["small", "large"]),
        ("minDisk=21", ["large"]),
        ("sort_key=memory_mb&sort_dir=desc", ["large", "small", "tiny"]),
        ("sort_key=name", ["large", "small", "tiny"]),
        ("name=l", ["small", "large"]),
        ("limit=0", []),
        ("is_public=none", ["tiny", "small", "large"]),
    ],
)
def test_filters_and_orders(call: Caller, query: str, names: list[str]) -> None:
    answer = call("GET", f"/v2.1/flavors?{query}", version="2.104")
    assert [flavor["name"] for flavor in answer.json["flavors"]] == names


def test_only_administrators_see_private_flavors(call: Caller) -> None:
    answer = call("GET", "/v2.1/flavors?is_public=None", user=ADMIN)
    assert "private" in [flavor["name"] for flavor in answer.json["flavors"]]
    assert len(call("GET", "/v2.1/flavors?is_public=0", user=ADMIN).json["flavors"]) == 1
    assert call("GET", "/v2.1/flavors?is_public=perhaps", user=ADMIN).status_int == 400
    assert call("GET", "/v2.1/flavors?minRam=big").status_int == 400


def test_lists_are_remembered_for_a_moment_and_forgotten_at_a_change(call: Caller) -> None:
    for _ in range(5):
        assert len(call("GET", "/v2.1/flavors/detail").json["flavors"]) == 3
    assert call.shelf.lists == 1
    call("DELETE", "/v2.1/flavors/1", user=ADMIN)
    assert len(call("GET", "/v2.1/flavors/detail").json["flavors"]) == 2
    assert call.shelf.lists == 2
    CLOCK.advance(2.1)
    call("GET", "/v2.1/flavors/detail")
    assert call.shelf.lists == 3


def test_a_flavor_is_made_changed_and_dropped(call: Caller) -> None:
    wish = {"name": "new", "ram": "1024", "vcpus": 2, "disk": 10, "swap": 5, "id": "auto"}
    made = call("POST", "/v2.1/flavors", {"flavor": wish}, user=ADMIN).json["flavor"]
    assert (made["ram"], made["vcpus"], made["swap"], len(made["id"])) == (1024, 2, 5, 36)
    path = f"/v2.1/flavors/{made['id']}"
    body = {"flavor": {"description": "told"}}
    assert call("PUT", path, body, user=ADMIN, version="2.54").status_int == 404
    answer = call("PUT", path, body, user=ADMIN, version="2.55")
    assert answer.json["flavor"]["description"] == "told"
    assert call("DELETE", path, user=ADMIN).status_int == 202
    assert call("GET", path).status_int == 404
    assert call("POST", "/v2.1/flavors", {"flavor": wish}).status_int == 403


def test_access_lists(call: Caller) -> None:
    path = "/v2.1/flavors/9"
    body = {"addTenantAccess": {"tenant": "aaaa1111"}}
    assert len(call("GET", "/v2.1/flavors").json["flavors"]) == 3
    answer = call("POST", path + "/action", body, user=ADMIN, version="2.7")
    assert answer.json == {"flavor_access": [{"flavor_id": "9", "tenant_id": "aaaa1111"}]}
    assert len(call("GET", "/v2.1/flavors").json["flavors"]) == 4
    assert call("GET", path + "/os-flavor-access", user=ADMIN).json == answer.json
    assert call("GET", "/v2.1/flavors/1/os-flavor-access", user=ADMIN).status_int == 404
    assert call("POST", "/v2.1/flavors/1/action", body, user=ADMIN, version="2.7").status_int == 409
    answer = call("POST", "/v2.1/flavors/1/action", body, user=ADMIN, version="2.6")
    assert answer.json == {"flavor_access": [{"flavor_id": "1", "tenant_id": "aaaa1111"}]}
    body = {"removeTenantAccess": {"tenant": "aaaa1111"}}
    assert call("POST", path + "/action", body, user=ADMIN).json == {"flavor_access": []}
    assert call("POST", path + "/action", body, user=USER).status_int == 403


def test_extra_specs(call: Caller) -> None:
    path = "/v2.1/flavors/1/os-extra_specs"
    answer = call("POST", path, {"extra_specs": {"a": "1", "b": 2}}, user=ADMIN)
    assert answer.json == {"extra_specs": {"a": "1", "b": 2}}
    assert call("GET", path).json == {"extra_specs": {"a": "1", "b": "2"}}
    assert call("PUT", path + "/a", {"a": "9"}, user=ADMIN).json == {"a": "9"}
    assert call("PUT", path + "/a", {"b": "9"}, user=ADMIN).status_int == 400
    assert call("GET", path + "/a").json == {"a": "9"}
    assert call("DELETE", path + "/a", user=ADMIN).status_int == 200
    assert call("GET", path + "/a").status_int == 404
    assert call("DELETE", path + "/b").status_int == 403
    wrong = {"extra_specs": {"hw:cpu_policy": "some"}}
    assert call("POST", path, wrong, user=ADMIN, version="2.85").status_int == 200
    assert call("POST", path, wrong, user=ADMIN, version="2.86").status_int == 400
