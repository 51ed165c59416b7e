"""Actions, changes and deletion: what the conductor is asked."""

from __future__ import annotations

import pytest

from nova.errors.servers import InstanceLocked
from tests.unit.api.compute.servers.conftest import IMAGE, SERVER, instance

ACTION = f"/servers/{SERVER}/action"


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        ({"os-start": None}, ("start", {})),
        ({"os-stop": None}, ("stop", {})),
        ({"pause": None}, ("pause", {})),
        ({"unpause": None}, ("unpause", {})),
        ({"suspend": None}, ("suspend", {})),
        ({"resume": None}, ("resume", {})),
        ({"reboot": {"type": "Soft"}}, ("reboot_soft", {})),
        ({"reboot": {"type": "HARD"}}, ("reboot_hard", {})),
        ({"lock": None}, ("lock", {})),
        ({"lock": {"locked_reason": "busy"}}, ("lock", {"reason": "busy"})),
        ({"unlock": None}, ("unlock", {"override": False})),
        ({"forceDelete": None}, ("forceDelete", {})),
    ],
)
def test_actions(call, body, asked):
    answer = call("POST", ACTION, body)
    assert (answer.status_code, answer.body) == (202, b"")
    assert call.conductor.asked("act") == (SERVER, *asked)


def test_a_lock_had_no_reason_before_2_73(call):
    assert call("POST", ACTION, {"lock": {"locked_reason": "x"}}, version="2.72").status_code == 202
    assert call.conductor.asked("act") == (SERVER, "lock", {})


def test_reset_state_is_for_administrators(call):
    body = {"os-resetState": {"state": "error"}}
    assert call("POST", ACTION, body).status_code == 403
    assert call.admin("POST", ACTION, body).status_code == 202
    assert call.conductor.asked("act") == (SERVER, "resetState", {"state": "error"})


def test_errors_of_the_conductor_are_told(call):
    call.conductor.errors["act"] = InstanceLocked(id=SERVER)
    answer = call("POST", ACTION, {"os-stop": None})
    assert answer.status_code == 409
    assert answer.json["conflictingRequest"]["message"] == f"Instance {SERVER} is locked"


def test_create_image(call):
    call.conductor.answers["create_image"] = IMAGE
    body = {"createImage": {"name": "snap", "metadata": {"a": "b"}}}
    answer = call("POST", ACTION, body)
    assert (answer.status_code, answer.json) == (202, {"image_id": IMAGE})
    assert "Location" not in answer.headers
    _, image = call.conductor.asked("create_image")
    assert (image.name, image.properties) == ("snap", {"a": "b"})
    old = call("POST", ACTION, body, version="2.44")
    assert (old.status_code, old.body) == (202, b"")
    assert old.headers["Location"] == f"http://localhost/images/{IMAGE}"


def test_delete(call):
    answer = call("DELETE", f"/servers/{SERVER}")
    assert (answer.status_code, answer.body) == (204, b"")
    assert call.conductor.asked("act") == (SERVER, "delete", {})


def test_update(call):
    body = {"server": {"name": "new", "description": None, "accessIPv4": "192.0.2.7"}}
    answer = call("PUT", f"/servers/{SERVER}", body)
    assert answer.json["server"]["id"] == SERVER
    _, changes = call.conductor.asked("update_instance")
    assert (changes.display_name, changes.access_ip_v4) == ("new", "192.0.2.7")
    assert changes.clear_description is True
    assert changes.auto_disk_config is None


def test_update_shows_less_before_2_75(call):
    server = call("PUT", f"/servers/{SERVER}", {"server": {"name": "n"}}, version="2.74").json["server"]
    assert "OS-EXT-STS:vm_state" not in server


def test_the_pinned_zone_stays(call):
    call.conductor.instances[SERVER] = instance(pinned_zone="z1")
    path = f"/servers/{SERVER}"
    assert call("PUT", path, {"server": {"pinned_availability_zone": "z2"}}).status_code == 409
    assert call("PUT", path, {"server": {"pinned_availability_zone": "z1"}}).status_code == 200
