"""What lies below a server: metadata, tags, addresses, consoles, history, groups, counters."""

from __future__ import annotations

import datetime

import pytest

from nova.objects.console import ConsoleLink
from nova.objects.guest import Diagnostics
from nova.objects.network import SecurityGroup, SecurityRule
from nova.objects.workflow import StepRecord, WorkflowRecord, WorkflowState
from tests.unit.api.compute.servers.conftest import NOW, OTHER, PROJECT, SERVER

ROOT = f"/servers/{SERVER}"


def test_metadata_is_read(call):
    assert call("GET", f"{ROOT}/metadata").json == {"metadata": {"a": "b"}}
    assert call("GET", f"{ROOT}/metadata/a").json == {"meta": {"a": "b"}}
    assert call("GET", f"{ROOT}/metadata/x").status_code == 404


@pytest.mark.parametrize(("method", "replace"), [("POST", False), ("PUT", True)])
def test_metadata_is_set(call, method, replace):
    call.conductor.answers["put_metadata"] = {"a": "b", "c": "d"}
    answer = call(method, f"{ROOT}/metadata", {"metadata": {"c": "d"}})
    assert (answer.status_code, answer.json) == (200, {"metadata": {"a": "b", "c": "d"}})
    assert call.conductor.asked("put_metadata") == (SERVER, {"c": "d"}, replace)


def test_one_metadata_item(call):
    call.conductor.answers["put_metadata"] = {"a": "z", "c": "d"}
    assert call("PUT", f"{ROOT}/metadata/a", {"meta": {"a": "z"}}).json == {"meta": {"a": "z"}}
    assert call("PUT", f"{ROOT}/metadata/a", {"meta": {"b": "z"}}).status_code == 400
    assert call("PUT", f"{ROOT}/metadata/a", {"meta": {"a": "z", "b": "z"}}).status_code == 400
    assert call("DELETE", f"{ROOT}/metadata/a").status_code == 204
    assert call.conductor.asked("delete_metadata") == (SERVER, "a")


def test_tags_are_read(call):
    assert call("GET", f"{ROOT}/tags").json == {"tags": ["blue", "red"]}
    answer = call("GET", f"{ROOT}/tags/red")
    assert (answer.status_code, answer.body) == (204, b"")
    assert call("GET", f"{ROOT}/tags/green").status_code == 404
    assert call("GET", f"{ROOT}/tags", version="2.25").status_code == 404


def test_tags_are_set(call):
    call.conductor.answers["set_tags"] = ["a", "b"]
    assert call("PUT", f"{ROOT}/tags", {"tags": ["a", "b", "a"]}).json == {"tags": ["a", "b"]}
    assert call.conductor.asked("set_tags") == (SERVER, ["a", "b"])


def test_one_tag(call):
    call.conductor.answers["add_tag"] = True
    new = call("PUT", f"{ROOT}/tags/my%20tag")
    assert (new.status_code, new.body) == (201, b"")
    assert new.headers["Location"] == f"http://localhost/v2.1{ROOT}/tags/my%20tag"
    call.conductor.answers["add_tag"] = False
    assert call("PUT", f"{ROOT}/tags/red").status_code == 204
    assert call("PUT", f"{ROOT}/tags/a,b").status_code == 400
    assert call("PUT", f"{ROOT}/tags/{'x' * 61}").status_code == 400
    assert call("DELETE", f"{ROOT}/tags/red").status_code == 204
    assert call.conductor.asked("delete_tag") == (SERVER, "red")
    assert call("DELETE", f"{ROOT}/tags").status_code == 204
    assert call.conductor.asked("set_tags") == (SERVER, [])


def test_addresses(call):
    rows = [
        {"version": 4, "addr": "10.0.0.5"},
        {"version": 4, "addr": "192.0.2.9"},
        {"version": 6, "addr": "fd00::5"},
    ]
    assert call("GET", f"{ROOT}/ips").json == {"addresses": {"private": rows}}
    assert call("GET", f"{ROOT}/ips/private").json == {"private": rows}
    assert call("GET", f"{ROOT}/ips/public").status_code == 404


@pytest.mark.parametrize(
    ("argument", "lines"),
    [({}, None), ({"length": "5"}, 5), ({"length": -1}, None), ({"length": None}, None)],
)
def test_console_output(call, argument, lines):
    call.conductor.answers["console_output"] = "boot\x1b[0m\n\tok\x00"
    answer = call("POST", f"{ROOT}/action", {"os-getConsoleOutput": argument})
    assert answer.json == {"output": "boot[0m\n\tok"}
    assert call.conductor.asked("console_output") == (SERVER, lines)


def test_remote_consoles(call):
    call.conductor.answers["open_console"] = ConsoleLink(protocol="vnc", type="novnc", url="http://x/?t")
    answer = call("POST", f"{ROOT}/remote-consoles", {"remote_console": {"protocol": "vnc", "type": "novnc"}})
    assert answer.json == {"remote_console": {"protocol": "vnc", "type": "novnc", "url": "http://x/?t"}}
    assert call.conductor.asked("open_console") == (SERVER, "vnc", "novnc")
    old = call("POST", f"{ROOT}/action", {"os-getVNCConsole": {"type": "novnc"}}, version="2.5")
    assert old.json == {"console": {"type": "novnc", "url": "http://x/?t"}}
    assert call("POST", f"{ROOT}/action", {"os-getVNCConsole": {"type": "novnc"}}).status_code == 404
    rdp = call("POST", f"{ROOT}/action", {"os-getRDPConsole": {"type": "rdp-html5"}}, version="2.5")
    assert rdp.status_code == 400


def record(**changes):
    known = {
        "id": "w",
        "kind": "act",
        "action": "stop",
        "instance_id": SERVER,
        "request_id": "req-1",
        "user_id": "joe",
        "project_id": PROJECT,
        "state": WorkflowState.DONE,
        "started_at": NOW,
        "updated_at": NOW,
        "steps": (
            StepRecord(
                event="compute_stop_instance",
                started_at=NOW,
                finished_at=NOW,
                result="Success",
                host="h1",
                details="none",
            ),
        ),
    }
    return WorkflowRecord(**(known | changes))


def test_history(call):
    call.conductor.answers["list_actions"] = [record()]
    answer = call("GET", f"{ROOT}/os-instance-actions?limit=1&changes-since=2030-01-01")
    (row,) = answer.json["instanceActions"]
    assert row == {
        "action": "stop",
        "instance_uuid": SERVER,
        "request_id": "req-1",
        "user_id": "joe",
        "project_id": PROJECT,
        "start_time": "2030-01-01T12:00:05.000250",
        "updated_at": "2030-01-01T12:00:05.000250",
        "message": None,
    }
    assert answer.json["links"][0]["href"].endswith(
        "os-instance-actions?changes-since=2030-01-01&limit=1&marker=req-1"
    )
    _, query = call.conductor.asked("list_actions")
    assert (query.limit, query.changes_since) == (1, datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC))


def test_history_of_the_deleted_only_since_2_21(call):
    call.conductor.answers["list_actions"] = []
    path = f"/servers/{OTHER}/os-instance-actions"
    assert call("GET", path, version="2.20").status_code == 404
    assert call("GET", path, version="2.21").json == {"instanceActions": []}


def test_events(call):
    call.conductor.answers["show_action"] = record()
    path = f"{ROOT}/os-instance-actions/req-1"
    (event,) = call("GET", path).json["instanceAction"]["events"]
    assert set(event) == {"event", "start_time", "finish_time", "result", "hostId"}
    (event,) = call.admin("GET", path).json["instanceAction"]["events"]
    assert (event["host"], event["details"], event["traceback"]) == ("h1", "none", None)
    assert "events" not in call("GET", path, version="2.50").json["instanceAction"]
    (event,) = call.admin("GET", path, version="2.50").json["instanceAction"]["events"]
    assert "host" not in event


def test_security_groups(call):
    rules = (
        SecurityRule(id="r1", protocol="tcp", from_port=22, to_port=22, cidr="0.0.0.0/0"),
        SecurityRule(id="r2", source_group_id="g", source_group_name="web", source_project_id=PROJECT),
    )
    call.conductor.answers["list_security_groups"] = [
        SecurityGroup(id="g1", name="default", project_id=PROJECT, rules=rules),
        SecurityGroup(id="g2", name="other", project_id=PROJECT),
    ]
    (group,) = call("GET", f"{ROOT}/os-security-groups").json["security_groups"]
    assert group["id"] == "g1"
    assert group["rules"][0]["ip_range"] == {"cidr": "0.0.0.0/0"}
    assert group["rules"][0]["group"] == {}
    assert group["rules"][1]["group"] == {"name": "web", "tenant_id": PROJECT}
    assert call.conductor.asked("list_security_groups") == (False,)


@pytest.mark.parametrize(
    ("key", "name"),
    [("addSecurityGroup", "join_security_group"), ("removeSecurityGroup", "leave_security_group")],
)
def test_membership(call, key, name):
    assert call("POST", f"{ROOT}/action", {key: {"name": "web"}}).status_code == 202
    assert call.conductor.asked(name) == (SERVER, "web")


def test_diagnostics(call):
    call.conductor.answers["diagnostics"] = Diagnostics(
        driver="libvirt",
        hypervisor="kvm",
        cpus=({"id": 0, "time": 5, "utilisation": None},),
        memory={"maximum": 512, "used": 100},
        nics=({"mac_address": "m", "rx_octets": 3},),
        disks=({"read_bytes": 7},),
    )
    assert call("GET", f"{ROOT}/diagnostics").status_code == 403
    found = call.admin("GET", f"{ROOT}/diagnostics").json
    assert (found["num_cpus"], found["memory_details"]) == (1, {"maximum": 512, "used": 100})
    uncounted = dict.fromkeys(("read_requests", "write_bytes", "write_requests", "errors_count"))
    assert found["disk_details"] == [{"read_bytes": 7} | uncounted]
    words = ("octets", "errors", "drop", "packets", "rate")
    assert set(found["nic_details"][0]) == {
        "mac_address",
        *(f"{way}_{w}" for way in ("rx", "tx") for w in words),
    }
    assert found["nic_details"][0]["rx_octets"] == 3
    old = call.admin("GET", f"{ROOT}/diagnostics", version="2.47").json
    assert (old["cpu0_time"], old["vda_read"], old["vnet0_rx"], old["memory"]) == (5, 7, 3, 524288)
    assert "num_cpus" not in old


def test_interfaces(call):
    shown = call("GET", f"{ROOT}/os-interface").json["interfaceAttachments"]
    (vif,) = call.conductor.instances[SERVER].vifs
    entry = {
        "net_id": vif.network_id,
        "port_id": vif.id,
        "mac_addr": vif.mac,
        "port_state": "ACTIVE",
        "fixed_ips": [{"subnet_id": vif.network_id, "ip_address": one} for one in vif.addresses],
        "tag": None,
    }
    assert shown == [entry]
    assert call("GET", f"{ROOT}/os-interface/{vif.id}").json == {"interfaceAttachment": entry}
    assert "tag" not in call("GET", f"{ROOT}/os-interface", version="2.69").json["interfaceAttachments"][0]
    assert call("GET", f"{ROOT}/os-interface/none").status_code == 404


def test_the_password_that_the_guest_told(call):
    call.conductor.answers["show_guest_password"] = "c2VjcmV0"
    assert call("GET", f"{ROOT}/os-server-password", version="2.1").json == {"password": "c2VjcmV0"}
    assert call("GET", f"{ROOT}/os-server-password?x=1").status_code == 400
    answer = call("DELETE", f"{ROOT}/os-server-password")
    assert (answer.status_code, answer.body) == (204, b"")
    assert call.conductor.asked("clear_guest_password") == (SERVER,)


def test_volumes_and_topology_are_empty(call):
    assert call("GET", f"{ROOT}/os-volume_attachments").json == {"volumeAttachments": []}
    assert call("GET", f"{ROOT}/os-volume_attachments/v").status_code == 404
    assert call("GET", f"{ROOT}/topology").json == {"nodes": [], "pagesize_kb": None}
    assert call("GET", f"{ROOT}/topology", version="2.77").status_code == 404
