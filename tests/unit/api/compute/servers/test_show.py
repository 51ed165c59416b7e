"""What a server looks like, version by version and for whom."""

from __future__ import annotations

import pytest

from nova.objects.block_device import BlockDevice, Destination, Source
from nova.objects.instance import Fault
from nova.objects.states import Task, Vm
from tests.unit.api.compute.servers.conftest import IMAGE, NOW, SERVER, Caller, instance


def shown(call, version="latest", admin=False, **changes):
    call.conductor.instances[SERVER] = instance(**changes)
    answer = (call.admin if admin else call)("GET", f"/servers/{SERVER}", version=version)
    assert answer.status_code == 200, answer.text
    return answer.json["server"]


def test_newest_view_of_a_member(call):
    server = shown(call)
    assert server["id"] == SERVER
    assert server["status"] == "ACTIVE"
    assert server["created"] == "2030-01-01T12:00:05Z"
    assert server["OS-SRV-USG:launched_at"] == "2030-01-01T12:00:05.000250"
    assert server["flavor"] == {
        "vcpus": 1,
        "ram": 512,
        "disk": 1,
        "ephemeral": 0,
        "swap": 0,
        "original_name": "m1.tiny",
        "extra_specs": {"hw:cpu_policy": "shared"},
    }
    assert server["image"]["properties"] == {"hw_machine_type": "q35"}
    assert server["image"]["links"] == [
        {"rel": "bookmark", "href": f"http://localhost/images/{IMAGE}"},
    ]
    assert server["addresses"]["private"][:2] == [
        {
            "version": 4,
            "addr": "10.0.0.5",
            "OS-EXT-IPS:type": "fixed",
            "OS-EXT-IPS-MAC:mac_addr": "fa:16:3e:00:00:01",
        },
        {
            "version": 4,
            "addr": "192.0.2.9",
            "OS-EXT-IPS:type": "floating",
            "OS-EXT-IPS-MAC:mac_addr": "fa:16:3e:00:00:01",
        },
    ]
    assert server["security_groups"] == [{"name": "default"}]
    assert server["OS-EXT-SRV-ATTR:hostname"] == "web"
    assert server["server_groups"] == []
    assert server["scheduler_hints"] == {}
    assert "OS-EXT-SRV-ATTR:host" not in server
    assert "host_status" not in server


def test_oldest_view_has_the_flavor_link_and_nothing_newer(call):
    server = shown(call, "2.1")
    assert server["flavor"] == {
        "id": "1",
        "links": [{"rel": "bookmark", "href": "http://localhost/flavors/1"}],
    }
    assert "properties" not in server["image"]
    assert not {"tags", "locked", "description", "OS-EXT-SRV-ATTR:hostname", "scheduler_hints"} & set(server)


def test_admin_sees_the_extended_attributes(call):
    server = shown(call, admin=True, user_data="aGk=")
    assert server["OS-EXT-SRV-ATTR:host"] == "h1"
    assert server["OS-EXT-SRV-ATTR:instance_name"] == f"instance-{SERVER}"
    assert server["OS-EXT-SRV-ATTR:user_data"] == "aGk="
    assert server["host_status"] == "UP"


def test_states_show_as_status_progress_and_fault(call):
    fault = Fault(code=500, message="No valid host was found. ", created_at=NOW, details="trace")
    server = shown(call, vm_state=Vm.ERROR, fault=fault)
    assert server["status"] == "ERROR"
    assert server["fault"] == {
        "code": 500,
        "created": "2030-01-01T12:00:05Z",
        "message": "No valid host was found. ",
    }
    assert "progress" not in server
    assert shown(call, admin=True, vm_state=Vm.ERROR, fault=fault)["fault"]["details"] == "trace"
    assert shown(call, task_state=Task.REBOOTING)["status"] == "REBOOT"
    building = shown(call, vm_state=Vm.BUILDING, fault=fault)
    assert building["addresses"] == {}
    assert building["progress"] == 0
    assert "fault" not in building


def test_volumes_and_no_image(call):
    root = BlockDevice(
        id="d", source=Source.VOLUME, destination=Destination.VOLUME, boot_index=0, volume_id="v1"
    )
    server = shown(call, image=None, block_devices=(root,))
    assert server["image"] == ""
    assert server["os-extended-volumes:volumes_attached"] == [{"id": "v1", "delete_on_termination": True}]
    assert shown(call, "2.1", image=None, block_devices=(root,))["os-extended-volumes:volumes_attached"] == [
        {"id": "v1"}
    ]


def test_unknown_server_is_404(call):
    answer = call("GET", "/servers/nope")
    assert answer.status_code == 404
    assert answer.json["itemNotFound"]["message"] == "Instance nope could not be found."


@pytest.mark.parametrize("version", ["2.1", "2.47", "latest"])
def test_links_of_the_project_in_the_url(version):
    call = Caller()
    answer = call("GET", f"/aaaa1111/servers/{SERVER}", version=version)
    assert answer.json["server"]["links"][0]["href"] == f"http://localhost/v2.1/aaaa1111/servers/{SERVER}"
