import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova.errors import Unavailable
from tests.unit.api.metadata.conftest import Conductor, Service, a_guest


def test_both_trees_are_served(service):
    code, body, headers = service.ask("/latest/meta-data/instance-id")
    assert (code, body, headers["Content-Type"]) == (200, b"i-00000001", "text/plain; charset=UTF-8")
    assert service.ask("/ec2/latest/meta-data/hostname")[1] == b"web.novalocal"
    assert service.ask("/latest//meta-data/public-keys/0/openssh-key")[1] == b"ssh-ed25519 AAAA me"
    assert service.ask("/latest/user-data")[1] == b"hello"
    code, body, headers = service.ask("/openstack/latest/meta_data.json")
    assert (code, headers["Content-Type"]) == (200, "application/json")
    document = json.loads(body)
    assert document["uuid"].startswith("1111") and document["meta"] == {"role": "db"}
    assert len(document["random_seed"]) > 600
    assert (
        document["random_seed"]
        != json.loads(service.ask("/openstack/latest/meta_data.json")[1])["random_seed"]
    )
    assert b"meta_data.json" in service.ask("/openstack/latest")[1]


def test_each_is_told_of_itself_only(service):
    mine = json.loads(service.ask("/openstack/latest/meta_data.json")[1])["uuid"]
    other = json.loads(service.ask("/openstack/latest/meta_data.json", peer="10.0.0.6")[1])["uuid"]
    assert (mine[:4], other[:4]) == ("1111", "3333")
    assert service.code("/openstack/latest/meta_data.json", peer="10.0.0.7") == 404
    mapped = json.loads(service.ask("/openstack/latest/meta_data.json", peer="::ffff:10.0.0.6")[1])["uuid"]
    assert mapped == other


def test_the_root_is_told_to_anybody_without_a_question(service, conductor):
    code, body, _ = service.ask("/", peer="192.0.2.1")
    assert code == 200 and body.startswith(b"1.0\n") and body.endswith(b"latest")
    assert conductor.asked == []


@pytest.mark.parametrize(
    "path", ["/latest/nothing", "/1999-01-01/meta-data", "/openstack/latest/x", "/openstack/../../etc/passwd"]
)
def test_what_is_not_there_is_not_found(service, path):
    assert service.code(path) == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST", "PATCH", "OPTIONS"])
def test_other_methods_find_nothing(service, method):
    assert service.code("/latest/api/token", method=method) == 404


def test_head_says_the_length_and_no_body(service):
    code, body, headers = service.ask("/latest/meta-data/instance-id", method="HEAD")
    assert (code, body, headers["Content-Length"]) == (200, b"", "10")


def test_a_conductor_that_is_away_is_told_and_not_remembered(service, conductor):
    conductor.error = Unavailable(part="the conductor")
    code, _, headers = service.ask("/latest/meta-data/instance-id")
    assert (code, headers["Retry-After"]) == (503, "5")
    conductor.error = None
    assert service.code("/latest/meta-data/instance-id") == 200


def test_a_surprise_tells_nothing_and_does_not_end_the_service(service, conductor):
    conductor.error = RuntimeError("a secret")
    code, body, _ = service.ask("/latest/meta-data/instance-id")
    assert code == 500 and b"secret" not in body
    conductor.error = None
    assert service.code("/latest/meta-data/instance-id") == 200


def test_a_password_is_told_once(service):
    path = "/openstack/2013-04-04/password"
    assert service.ask(path)[:2] == (200, b"")
    assert service.code(path, method="POST", body=b"c2VjcmV0") == 200
    assert service.ask(path)[:2] == (200, b"c2VjcmV0")
    assert service.code(path, method="POST", body=b"again") == 409
    assert service.ask(path, peer="10.0.0.6")[:2] == (200, b"")


def test_a_password_that_cannot_be_kept_is_refused(service):
    path = "/openstack/latest/password"
    assert service.code(path, method="POST", body=b"x" * 1021) == 400
    assert service.code(path, method="POST", body=b"", length="99999999999") == 400
    assert service.code(path, method="POST", body=b"", length="many") == 400
    assert service.code(path, method="POST", body=b"\xff\xfe") == 400
    assert service.code(path, method="POST", body=b"a\0b") == 400
    assert service.code(path, method="PUT", body=b"x") == 400
    assert service.code("/openstack/2012-08-10/password", method="POST", body=b"x") == 404
    assert service.code(path, method="POST", body=b"x" * 1020) == 200


def test_a_stranger_cannot_tell_a_password(service):
    assert service.code("/openstack/latest/password", method="POST", body=b"x", peer="10.0.0.99") == 404


def test_a_flood_of_one_guest_is_no_drought_for_another(conductor):
    service = Service(conductor, rate=10, burst=20)
    codes = [service.code("/latest/meta-data/instance-id") for _ in range(50)]
    assert codes.count(200) == 20 and codes.count(429) == 30
    assert service.code("/latest/meta-data/instance-id", peer="10.0.0.6") == 200
    service.clock.advance(1)
    codes = [service.code("/latest/meta-data/instance-id") for _ in range(20)]
    assert codes.count(200) == 10


def test_user_data_that_is_not_there_is_not_found():
    service = Service(Conductor(a_guest(user_data=None)))
    assert service.code("/latest/user-data") == 404
    assert service.code("/openstack/latest/user_data") == 404


@given(st.text(max_size=60), st.sampled_from(["GET", "POST", "HEAD", "PUT"]))
def test_any_path_is_answered_in_order(path, method):
    service = Service(Conductor(a_guest()))
    assert service.code(path, method=method) in (200, 400, 404)
