"""Query strings of lists, and the queries they become."""

from __future__ import annotations

import datetime

import pytest

from nova.objects.states import Task, Vm
from tests.unit.api.compute.servers.conftest import OTHER, SERVER, Caller, instance


def query_of(call, text, version="latest", admin=False, path="/servers/detail"):
    answer = (call.admin if admin else call)("GET", f"{path}?{text}", version=version)
    assert answer.status_code == 200, answer.text
    return call.conductor.asked("list_instances")[0]


def refused(call, text, code=400, version="latest"):
    answer = call("GET", f"/servers/detail?{text}", version=version)
    assert answer.status_code == code, answer.text
    assert not call.conductor.calls


def test_short_list(call):
    answer = call("GET", "/servers")
    (row,) = answer.json["servers"]
    assert set(row) == {"id", "name", "links"}
    query = call.conductor.asked("list_instances")[0]
    assert query.detail is False
    assert query.sort == (("created_at", "desc"),)
    assert query.limit == 1000


def test_long_list_has_no_groups(call):
    (row,) = call("GET", "/servers/detail").json["servers"]
    assert row["status"] == "ACTIVE"
    assert "server_groups" not in row


def test_next_link_only_when_the_page_is_full(call):
    call.conductor.instances[OTHER] = instance(id=OTHER)
    links = call("GET", "/servers?limit=2&name=w").json["servers_links"]
    assert links == [{"rel": "next", "href": f"http://localhost/v2.1/servers?limit=2&marker={OTHER}&name=w"}]
    assert "servers_links" not in call("GET", "/servers?limit=3").json


def test_limit_zero_is_an_empty_list(call):
    assert call("GET", "/servers/detail?limit=0").json == {"servers": []}
    assert not call.conductor.calls


def test_filters_of_everybody(call):
    query = query_of(
        call,
        "name=w.*&flavor=1&image=i&ip=10%5C.&ip6=fd&reservation_id=r-1&locked=true&tags=a,b&not-tags-any=c"
        f"&changes-since=2030-01-01T00:00:00Z&hostname=h&key_name=k&limit=5&marker={SERVER}&user_id=joe",
    )
    assert (query.name_regex, query.flavor_id, query.image_id) == ("w.*", "1", "i")
    assert (query.ip_regex, query.ip6_regex, query.hostname_regex) == ("10\\.", "fd", "h")
    assert (query.locked, query.tags, query.not_tags_any) == (True, ("a", "b"), ("c",))
    assert query.changes_since == datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
    assert (query.limit, query.marker, query.user_id) == (5, SERVER, "joe")


def test_filters_of_administrators_are_dropped_for_others(call):
    text = "host=h1&node=n1&deleted=true&uuid=u&description=d&launch_index=1"
    query = query_of(call, text)
    assert (query.host, query.node, query.deleted, query.ids) == (None, None, False, ())
    call.conductor.calls.clear()
    query = query_of(call, text, admin=True)
    assert (query.host, query.node, query.deleted, query.ids) == ("h1", "n1", True, ("u",))
    assert (query.description_regex, query.launch_index) == ("d", 1)


def test_what_everybody_may_filter_by_grew(call):
    assert query_of(call, "key_name=k&ip6=f", "2.4").key_name_regex is None
    call.conductor.calls.clear()
    query = query_of(call, "key_name=k&ip6=f", "2.82")
    assert (query.key_name_regex, query.ip6_regex) == (None, "f")


def test_unknown_keys(call):
    refused(call, "colour=red")
    assert query_of(call, "colour=red", "2.74").name_regex is None


def test_status(call):
    assert query_of(call, "status=active").vm_states == (Vm.ACTIVE,)
    call.conductor.calls.clear()
    query = query_of(call, "status=REBOOT")
    assert query.vm_states == (Vm.ACTIVE,)
    assert set(query.task_states) == {Task.REBOOTING, Task.REBOOT_PENDING, Task.REBOOT_STARTED}
    call.conductor.calls.clear()
    query = query_of(call, "status=ACTIVE&status=error")
    assert (query.vm_states, query.task_states) == ((Vm.ACTIVE, Vm.ERROR), ())


def test_unknown_status(call):
    refused(call, "status=blue")
    assert call("GET", "/servers?status=blue", version="2.37").json == {"servers": []}
    assert not call.conductor.calls


def test_deleted_status_is_for_administrators(call):
    refused(call, "status=deleted", 403)
    assert query_of(call, "status=deleted", admin=True).deleted is True


@pytest.mark.parametrize(
    ("text", "states"),
    [("vm_state=active", ((Vm.ACTIVE,), ())), ("task_state=spawning", ((), (Task.SPAWNING,)))],
)
def test_states_by_name(call, text, states):
    query = query_of(call, text)
    assert (query.vm_states, query.task_states) == states


def test_all_projects(call):
    refused(call, "all_tenants=1", 403)
    query = query_of(call, "all_tenants&tenant_id=p2", admin=True)
    assert (query.all_projects, query.project_id) == (True, "p2")
    call.conductor.calls.clear()
    query = query_of(call, "all_tenants=false&tenant_id=p2", admin=True)
    assert (query.all_projects, query.project_id) == (False, None)


def test_sorting(call):
    query = query_of(call, "sort_key=display_name&sort_dir=asc&sort_key=uuid&sort_dir=desc")
    assert query.sort == (("display_name", "asc"), ("uuid", "desc"))
    call.conductor.calls.clear()
    assert query_of(call, "sort_key=vcpus", "2.1").sort == (("created_at", "desc"),)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("sort_key=host", 403),
        ("sort_key=vcpus", 400),
        ("sort_dir=up", 400),
        ("limit=-1", 400),
        ("limit=x", 400),
        ("name=", 400),
        ("name=%5B", 400),
        ("locked=maybe", 400),
        ("changes-since=2030-01-02&changes-before=2030-01-01", 400),
        ("metadata=x", 400),
        ("_secret=x", 400),
        ("power_state=x", 400),
    ],
)
def test_refused_queries(call, text, code):
    refused(call, text, code)


def test_a_thousand_servers_are_cheap():
    call = Caller()
    call.conductor.answers["list_instances"] = type(
        "Page",
        (),
        {"instances": tuple(instance(id=f"{n:08d}-0000-4000-8000-000000000000") for n in range(1000))},
    )
    assert len(call("GET", "/servers/detail").json["servers"]) == 1000
