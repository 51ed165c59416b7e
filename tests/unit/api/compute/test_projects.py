"""Quotas, quota classes and server groups."""

from __future__ import annotations

from typing import Any

import pytest

from nova.errors.servers import ServerGroupNotFound
from nova.objects.quota import QuotaSet
from nova.objects.server_group import ServerGroup
from tests.unit.api.compute.site import ADMIN, site
from tests.unit.api.wsgi.conftest import Caller

DEFAULTS = {"instances": 10, "cores": 20, "injected_files": 5, "floating_ips": 10, "server_groups": 10}


class Projects:
    """Keeps quotas and groups as the conductor would."""

    def __init__(self) -> None:
        self.limits: dict[str, dict[str, int]] = {}
        self.defaults = dict(DEFAULTS)
        self.forced = False
        self.user_calls: list[tuple[Any, ...]] = []
        self.groups = [
            ServerGroup(
                id="g0", name="foreign", policy="affinity", project_id="bbbb", user_id="eve", members=("i1",)
            )
        ]

    def show_quotas(self, ctx, project, user_id):
        limits = {**self.defaults, **self.limits.get(project, {})}
        return QuotaSet(project_id=project, limits=limits, used={"instances": 2})

    def default_quotas(self, ctx):
        return QuotaSet(project_id="", limits=self.defaults)

    def put_quotas(self, ctx, project, limits, force):
        self.forced = force
        self.limits.setdefault(project, {}).update(limits)
        return self.show_quotas(ctx, project, None)

    def reset_quotas(self, ctx, project):
        self.limits.pop(project, None)

    def put_user_quotas(self, ctx, project, user_id, limits, force):
        self.user_calls.append(("put", user_id, limits))
        return QuotaSet(project_id=project, limits=self.defaults | limits)

    def reset_user_quotas(self, ctx, project, user_id):
        self.user_calls.append(("reset", user_id))

    def show_quota_class(self, ctx, name):
        return QuotaSet(project_id=name, limits=self.defaults)

    def put_quota_class(self, ctx, name, limits):
        self.defaults.update(limits)
        return QuotaSet(project_id="", limits=self.defaults)

    def list_server_groups(self, ctx, page, all_projects):
        rows = [group for group in self.groups if all_projects or group.project_id == ctx.project_id]
        return rows[page.offset : page.offset + page.limit]

    def show_server_group(self, ctx, group):
        for known in self.groups:
            if known.id == group:
                return known
        raise ServerGroupNotFound(id=group)

    def create_server_group(self, ctx, name, policy, max_per_host):
        group = ServerGroup(
            id=f"g{len(self.groups)}",
            name=name,
            policy=policy,
            max_per_host=max_per_host,
            project_id=ctx.project_id,
            user_id=ctx.user_id,
        )
        self.groups.append(group)
        return group

    def delete_server_group(self, ctx, group):
        self.groups.remove(self.show_server_group(ctx, group))


@pytest.fixture
def call() -> Caller:
    return site(Projects())


def test_quotas_by_version(call: Caller) -> None:
    path = "/v2.1/os-quota-sets/aaaa1111"
    old = call("GET", path).json["quota_set"]
    assert (len(old), old["id"], old["instances"], old["floating_ips"]) == (15, "aaaa1111", 10, 10)
    assert len(call("GET", path, version="2.36").json["quota_set"]) == 11
    new = call("GET", path, version="2.57").json["quota_set"]
    assert set(new) == {
        "id", "cores", "instances", "key_pairs", "metadata_items", "ram", "server_groups",
        "server_group_members",
    }  # fmt: skip
    detail = call("GET", path + "/detail", version="2.57").json["quota_set"]
    assert detail["instances"] == {"limit": 10, "in_use": 2, "reserved": 0}
    assert call("GET", "/v2.1/os-quota-sets/bbbb").status_int == 403
    assert call("GET", "/v2.1/os-quota-sets/bbbb", user=ADMIN).status_int == 200
    assert call("GET", "/v2.1/os-quota-sets/bbbb/defaults").json["quota_set"]["id"] == "bbbb"


def test_quotas_are_changed_and_dropped(call: Caller) -> None:
    path = "/v2.1/os-quota-sets/aaaa1111"
    body = {"quota_set": {"instances": "45", "floating_ips": -1, "force": "true"}}
    answer = call("PUT", path, body, user=ADMIN).json["quota_set"]
    assert (answer["instances"], answer["floating_ips"]) == (45, -1)
    assert "id" not in answer
    assert call.shelf.forced
    assert call("PUT", path, body, user=ADMIN, version="2.36").status_int == 400
    assert call("PUT", path, body).status_int == 403
    own = call("PUT", path + "?user_id=joe", {"quota_set": {"cores": "1"}}, user=ADMIN)
    assert (own.status_int, own.json["quota_set"]["cores"]) == (200, 1)
    assert call("DELETE", path + "?user_id=joe", user=ADMIN).status_int == 202
    assert call.shelf.user_calls == [("put", "joe", {"cores": 1}), ("reset", "joe")]
    assert call("DELETE", path, user=ADMIN).status_int == 202
    assert call("GET", path).json["quota_set"]["instances"] == 10


def test_quota_classes(call: Caller) -> None:
    path = "/v2.1/os-quota-class-sets/default"
    shown = call("GET", path, user=ADMIN).json["quota_class_set"]
    assert (shown["id"], shown["floating_ips"]) == ("default", 10)
    assert "server_groups" not in shown
    body = {"quota_class_set": {"instances": 50}}
    answer = call("PUT", path, body, user=ADMIN, version="2.57").json["quota_class_set"]
    assert (answer["instances"], answer["server_groups"]) == (50, 10)
    assert not {"id", "injected_files", "fixed_ips"} & set(answer)
    assert call("GET", path).status_int == 403


def test_server_groups_by_version(call: Caller) -> None:
    body: dict[str, Any] = {"server_group": {"name": "old", "policies": ["affinity"]}}
    old = call("POST", "/v2.1/os-server-groups", body)
    assert old.json == {
        "server_group": {"id": "g1", "name": "old", "policies": ["affinity"], "metadata": {}, "members": []}
    }
    rules = {"max_server_per_host": "3"}
    body = {"server_group": {"name": "new", "policy": "anti-affinity", "rules": rules}}
    new = call("POST", "/v2.1/os-server-groups", body, version="2.64").json["server_group"]
    assert (new["policy"], new["rules"]) == ("anti-affinity", {"max_server_per_host": 3})
    assert (new["project_id"], new["user_id"]) == ("aaaa1111", "joe")
    assert "policies" not in new
    body["server_group"]["policy"] = "affinity"
    assert call("POST", "/v2.1/os-server-groups", body, version="2.64").status_int == 400


def test_server_groups_of_others(call: Caller) -> None:
    path = "/v2.1/os-server-groups"
    assert call("GET", path).json == {"server_groups": []}
    assert call("GET", path + "?all_projects=1").json == {"server_groups": []}
    assert len(call("GET", path + "?all_projects=1", user=ADMIN).json["server_groups"]) == 1
    assert call("GET", path + "/g0").status_int == 403
    assert call("DELETE", path + "/g0").status_int == 403
    assert call("GET", path + "/zz").status_int == 404
    assert call("GET", path + "/g0", user=ADMIN).json["server_group"]["members"] == ["i1"]
    assert call("DELETE", path + "/g0", user=ADMIN).status_int == 204
    assert call.shelf.groups == []
