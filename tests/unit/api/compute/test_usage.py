"""What projects used, and hosts by name."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from nova.objects.flavor import Flavor
from nova.objects.instance import Instance, InstancePage
from nova.objects.states import Vm
from tests.unit.api.compute.site import ADMIN, site
from tests.unit.api.compute.test_hosts import Cloud
from tests.unit.api.wsgi.conftest import Caller

DAY = datetime.datetime(2029, 12, 1, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
FLAVOR = Flavor(id="1", name="m1", vcpus=2, ram_mb=512, root_gb=10, ephemeral_gb=5)
PERIOD = "start=2029-12-01T00:00:00&end=2029-12-02T00:00:00"


def instance(id: str, first: float, last: float | None = None, project: str = "aaaa1111") -> Instance:
    ended = None if last is None else DAY + last * HOUR
    return Instance(
        id=id,
        project_id=project,
        user_id="joe",
        display_name=id,
        hostname=id,
        vm_state=Vm.ACTIVE,
        flavor=FLAVOR,
        host="alpha",
        created_at=DAY + first * HOUR,
        launched_at=DAY + first * HOUR,
        terminated_at=ended,
        deleted_at=ended,
    )


class Used(Cloud):
    """Keeps instances as the conductor would, three to a page."""

    def __init__(self) -> None:
        super().__init__()
        self.instances = [
            instance("always", -10),
            instance("short", 1, 3),
            instance("before", -5, -4),
            instance("after", 30),
            instance("other", 20, project="bbbb"),
        ]

    def list_instances(self, ctx, query):
        project = query.project_id if query.all_projects else ctx.project_id
        rows = [
            one
            for one in self.instances
            if one.is_deleted == query.deleted
            and project in (None, one.project_id)
            and query.host in (None, one.host)
            and (query.changes_since is None or (one.deleted_at and one.deleted_at >= query.changes_since))
        ]
        ids = [one.id for one in rows]
        start = ids.index(query.marker) + 1 if query.marker else 0
        return InstancePage(instances=tuple(rows[start : start + 2]), more=start + 2 < len(rows))


@pytest.fixture
def call() -> Caller:
    return site(Used())


def test_all_projects(call: Caller) -> None:
    answer = call("GET", f"/v2.1/os-simple-tenant-usage?{PERIOD}", user=ADMIN).json["tenant_usages"]
    own, other = answer
    assert (own["tenant_id"], own["total_hours"], own["total_vcpus_usage"]) == ("aaaa1111", 26.0, 52.0)
    assert (own["total_memory_mb_usage"], own["total_local_gb_usage"]) == (26 * 512.0, 26 * 15.0)
    assert (own["start"], own["stop"]) == ("2029-12-01T00:00:00.000000", "2029-12-02T00:00:00.000000")
    assert (other["tenant_id"], other["total_hours"]) == ("bbbb", 4.0)
    assert "server_usages" not in own
    detailed = call("GET", f"/v2.1/os-simple-tenant-usage?detailed=1&{PERIOD}", user=ADMIN).json
    assert len(detailed["tenant_usages"][0]["server_usages"]) == 2
    assert call("GET", "/v2.1/os-simple-tenant-usage").status_int == 403


def test_one_project(call: Caller) -> None:
    usage = call("GET", f"/v2.1/os-simple-tenant-usage/aaaa1111?{PERIOD}").json["tenant_usage"]
    always, short = usage["server_usages"]
    assert (always["name"], always["hours"], always["state"], always["ended_at"]) == (
        "always",
        24.0,
        "active",
        None,
    )
    assert short == {
        "instance_id": "short",
        "name": "short",
        "tenant_id": "aaaa1111",
        "flavor": "m1",
        "vcpus": 2,
        "memory_mb": 512,
        "local_gb": 15,
        "hours": 2.0,
        "started_at": "2029-12-01T01:00:00.000000",
        "ended_at": "2029-12-01T03:00:00.000000",
        "state": "terminated",
        "uptime": 7200,
    }
    assert call("GET", f"/v2.1/os-simple-tenant-usage/bbbb?{PERIOD}").status_int == 403
    path = f"/v2.1/os-simple-tenant-usage/cccc?{PERIOD}"
    assert call("GET", path, user=ADMIN).json == {"tenant_usage": {}}


def test_pages(call: Caller) -> None:
    path = f"/v2.1/os-simple-tenant-usage/aaaa1111?{PERIOD}&limit=1"
    first = call("GET", path, version="2.40").json
    assert [one["name"] for one in first["tenant_usage"]["server_usages"]] == ["always"]
    follow = first["tenant_usage_links"][0]["href"].removeprefix("http://localhost")
    second = call("GET", follow, version="2.40").json
    assert [one["name"] for one in second["tenant_usage"]["server_usages"]] == ["short"]
    assert call("GET", path + "&marker=nobody", version="2.40").status_int == 400
    assert "tenant_usage_links" not in call("GET", path, version="2.39").json


@pytest.mark.parametrize("period", ["start=2029-12-02T00:00:00&end=2029-12-01T00:00:00", "start=soon"])
def test_periods_that_are_none(call: Caller, period: str) -> None:
    assert call("GET", f"/v2.1/os-simple-tenant-usage?{period}", user=ADMIN).status_int == 400


def test_no_period_is_this_moment(call: Caller) -> None:
    answer = call("GET", "/v2.1/os-simple-tenant-usage", user=ADMIN)
    assert answer.status_int == 200
    assert all(one["total_hours"] == 0 for one in answer.json["tenant_usages"])


def ask(
    call: Caller, method: str, path: str, body: Any = None, code: int = 200, version: str = "2.42"
) -> Any:
    answer = call(method, f"/v2.1/os-hosts{path}", body, user=ADMIN, version=version)
    assert answer.status_int == code
    return answer.json


def test_hosts_by_name(call: Caller) -> None:
    rows = ask(call, "GET", "?zone=nova")["hosts"]
    assert rows[0] == {"host_name": "alpha", "service": "compute", "zone": "nova"}
    assert [row["host_name"] for row in rows] == ["alpha", "beta"]
    resources = [row["resource"] for row in ask(call, "GET", "/alpha")["host"]]
    assert [row["project"] for row in resources][:3] == ["(total)", "(used_now)", "(used_max)"]
    assert (resources[0]["memory_mb"], resources[1]["memory_mb"]) == (4096, 1024)
    assert ask(call, "PUT", "/alpha", {"status": "Disable"}) == {"host": "alpha", "status": "disabled"}
    assert call.shelf.services[0].disabled
    ask(call, "PUT", "/alpha", {}, 400)
    ask(call, "PUT", "/alpha", {"maintenance_mode": "enable"}, 501)
    ask(call, "PUT", "/nobody", {"status": "enable"}, 404)
    ask(call, "GET", "/nobody", None, 404)
    ask(call, "GET", "/alpha/reboot", None, 501)
    ask(call, "GET", "", None, 404, "2.43")
