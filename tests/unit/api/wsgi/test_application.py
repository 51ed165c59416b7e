"""The kit as a client sees it, through a small resource."""

from __future__ import annotations

import pytest

from tests.unit.api.wsgi.conftest import PROJECT, Caller, build


def fault(answer, code: int, key: str) -> str:
    assert answer.status_int == code, answer.text
    assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"
    assert list(answer.json) == [key]
    assert answer.json[key]["code"] == code
    return answer.json[key]["message"]


def test_show_with_and_without_project(call: Caller) -> None:
    plain = call("GET", "/v2.1/boxes/b0", version="2.10")
    assert plain.status_int == 200
    assert plain.headers["Content-Type"] == "application/json"
    assert plain.json["box"]["links"] == [
        {"rel": "self", "href": "http://localhost/v2.1/boxes/b0"},
        {"rel": "bookmark", "href": "http://localhost/boxes/b0"},
    ]
    within = call("GET", f"/v2.1/{PROJECT}/boxes/b0", version="2.10")
    assert within.json["box"]["links"][0]["href"] == f"http://localhost/v2.1/{PROJECT}/boxes/b0"
    assert within.json["box"]["links"][1]["href"] == f"http://localhost/{PROJECT}/boxes/b0"


def test_headers_on_every_versioned_answer(call: Caller) -> None:
    for path, code in (("/v2.1/boxes/b0", 200), ("/v2.1/boxes/none", 404)):
        answer = call("GET", path, version="2.9")
        assert answer.status_int == code
        assert answer.headers["OpenStack-API-Version"] == "compute 2.9"
        assert answer.headers["X-OpenStack-Nova-API-Version"] == "2.9"
        assert answer.headers["Vary"] == "OpenStack-API-Version, X-OpenStack-Nova-API-Version"
        assert answer.headers["x-compute-request-id"].startswith("req-")
        assert answer.headers["x-compute-request-id"] == answer.headers["x-openstack-request-id"]


def test_negotiation(call: Caller) -> None:
    assert call("GET", "/v2.1/boxes/b0").headers["X-OpenStack-Nova-API-Version"] == "2.1"
    assert call("GET", "/v2.1/boxes/b0", version="latest").headers["OpenStack-API-Version"] == "compute 2.10"
    old = {"X-OpenStack-Nova-API-Version": "2.3"}
    assert call("GET", "/v2.1/boxes/b0", headers=old).headers["OpenStack-API-Version"] == "compute 2.3"
    both = old | {"OpenStack-API-Version": "volume 3.1"}
    assert call("GET", "/v2.1/boxes/b0", headers=both).headers["OpenStack-API-Version"] == "compute 2.3"
    both = old | {"OpenStack-API-Version": "volume 3.1, compute 2.9"}
    assert call("GET", "/v2.1/boxes/b0", headers=both).headers["OpenStack-API-Version"] == "compute 2.9"


def test_version_outside_is_406_with_its_headers(call: Caller) -> None:
    answer = call("GET", "/v2.1/boxes/b0", version="2.11")
    message = fault(answer, 406, "computeFault")
    assert "2.1 " in message and "2.10" in message
    assert answer.headers["OpenStack-API-Version"] == "compute 2.11"
    assert fault(call("GET", "/v2.1/boxes/b0", version="2.0"), 406, "computeFault")


@pytest.mark.parametrize("text", ["2", "2.01", "2.1.1", "abc", "02.1", "2.1 ", "", "-2.1"])
def test_malformed_version_is_400_without_headers(call: Caller, text: str) -> None:
    answer = call("GET", "/v2.1/boxes/b0", headers={"OpenStack-API-Version": f"compute x{text}"})
    fault(answer, 400, "badRequest")
    assert "OpenStack-API-Version" not in answer.headers
    assert "Vary" not in answer.headers


def test_answers_step_down(call: Caller) -> None:
    newest = call("GET", "/v2.1/boxes/b0", version="2.10").json["box"]
    assert newest["size"] == {"w": 1, "h": 2} and "tape" not in newest and newest["note"] == "first"
    middle = call("GET", "/v2.1/boxes/b0", version="2.9").json["box"]
    assert middle["size"] == "1x2" and middle["tape"] == "brown" and middle["note"] == "first"
    oldest = call("GET", "/v2.1/boxes/b0", version="2.2").json["box"]
    assert "note" not in oldest and oldest["tape"] == "brown"
    rows = call("GET", "/v2.1/boxes", version="2.2").json["boxes"]
    assert [row["size"] for row in rows] == ["1x2", "1x2"] and all("note" not in row for row in rows)


def test_bodies_are_lifted_and_codes_change(call: Caller) -> None:
    answer = call("POST", "/v2.1/boxes", {"box": {"name": "n"}}, version="2.2")
    assert answer.status_int == 200
    assert call.shelf.boxes[-1]["note"] == "n"
    assert answer.headers["Location"] == "http://localhost/v2.1/boxes/b3"
    answer = call("POST", "/v2.1/boxes", {"box": {"name": "n", "note": None}}, version="2.3")
    assert answer.status_int == 202 and answer.json["box"]["note"] is None


def test_schema_faults(call: Caller) -> None:
    message = fault(call("POST", "/v2.1/boxes", {"box": {"name": 5}}), 400, "badRequest")
    assert message.startswith("Invalid input for field/attribute name. Value: 5. ")
    message = fault(
        call("POST", "/v2.1/boxes", {"box": {"name": "n", "note": "x"}}, version="2.2"), 400, "badRequest"
    )
    assert message.startswith("Invalid input for field/attribute box. Value: ")
    message = fault(call("GET", "/v2.1/boxes?limit=-1"), 400, "badRequest")
    assert message.startswith("Invalid input for query parameters limit. Value: -1. ")
    fault(call("POST", "/v2.1/boxes"), 400, "badRequest")
    fault(call("POST", "/v2.1/boxes", b"{nope"), 400, "badRequest")


def test_unknown_query_keys(call: Caller) -> None:
    assert call("GET", "/v2.1/boxes?color=red", version="2.8").status_int == 200
    fault(call("GET", "/v2.1/boxes?color=red", version="2.9"), 400, "badRequest")


def test_actions(call: Caller) -> None:
    answer = call("POST", "/v2.1/boxes/b0/action", {"paint": {"color": "red"}})
    assert answer.status_int == 202 and answer.body == b""
    assert call.shelf.boxes[0]["color"] == "red"
    message = fault(
        call("POST", "/v2.1/boxes/b0/action", {"paint": {"color": "red"}}), 409, "conflictingRequest"
    )
    assert message == "painted already"
    assert call("POST", "/v2.1/boxes/b0/action", {"paint": {"color": "red"}}, version="2.4").status_int == 202
    message = fault(call("POST", "/v2.1/boxes/b0/action", {"melt": None}), 400, "badRequest")
    assert message == "There is no such action: melt"
    fault(call("POST", "/v2.1/boxes/b0/action", {"paint": {}, "burn": None}), 400, "badRequest")
    fault(call("POST", "/v2.1/boxes/b0/action"), 400, "badRequest")
    fault(call("POST", "/v2.1/boxes/b0/action", []), 400, "badRequest")


def test_gone_and_ended(call: Caller) -> None:
    assert call("GET", "/v2.1/crates").headers["OpenStack-API-Version"] == "compute 2.1"
    fault(call("GET", "/v2.1/crates"), 410, "computeFault")
    fault(call("POST", "/v2.1/boxes/b0/action", {"burn": None}), 410, "computeFault")
    assert call("GET", "/v2.1/old-boxes", version="2.3").status_int == 200
    fault(call("GET", "/v2.1/old-boxes", version="2.4"), 404, "itemNotFound")
    fault(call("GET", "/v2.1/boxes/b0/lids/1", version="2.8"), 404, "itemNotFound")
    assert call("GET", "/v2.1/boxes/b0/lids/1", version="2.9").json == {"box": "b0", "lid": "1"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v2.1/nothing"),
        ("PUT", "/v2.1/boxes"),
        ("GET", "/v2.1/boxes/"),
        ("GET", "/v2.1/boxes/b0/action"),
    ],
)
def test_unknown_paths_are_plain_pages(call: Caller, method: str, path: str) -> None:
    answer = call(method, path, version="2.9")
    assert answer.status_int == 404
    assert not answer.headers["Content-Type"].startswith("application/json")
    assert "OpenStack-API-Version" not in answer.headers
    assert answer.headers["x-compute-request-id"].startswith("req-")


def test_double_slashes_fold(call: Caller) -> None:
    assert call("GET", "/v2.1//boxes//b0").status_int == 200


def test_project_mismatch(call: Caller) -> None:
    message = fault(call("GET", "/v2.1/bbbb2222/boxes"), 400, "badRequest")
    assert "bbbb2222" in message and PROJECT in message


def test_content_types(call: Caller) -> None:
    vendor = {"Content-Type": "application/vnd.openstack.compute+json; charset=utf-8"}
    assert call("POST", "/v2.1/boxes", b'{"box": {"name": "v"}}', headers=vendor).status_int == 200
    text = {"Content-Type": "text/plain"}
    assert call("POST", "/v2.1/boxes", b'{"box": {"name": "t"}}', headers=text).status_int == 200
    xml = {"Content-Type": "application/xml"}
    fault(call("POST", "/v2.1/boxes", b"<box/>", headers=xml), 415, "badMediaType")
    assert call("GET", "/v2.1/boxes", headers={"Accept": "application/xml"}).status_int == 200


def test_body_limit() -> None:
    call = build(max_request_body_size=40)
    fault(call("POST", "/v2.1/boxes", {"box": {"name": "n" * 40}}), 413, "overLimit")
    assert call("POST", "/v2.1/boxes", {"box": {"name": "n" * 10}}).status_int == 200


def test_policy(call: Caller) -> None:
    message = fault(call("POST", "/v2.1/boxes/b0/action", {"smash": None}), 403, "forbidden")
    assert message == "Policy doesn't allow test:boxes:break to be performed."
    message = fault(call("GET", "/v2.1/boxes/x9"), 403, "forbidden")
    assert message == "Policy doesn't allow test:boxes:show to be performed."
    assert call("GET", "/v2.1/boxes/x9", user="admin").status_int == 200
    reader = {"X-Roles": "reader"}
    assert call("GET", "/v2.1/boxes", headers=reader).status_int == 200
    fault(call("POST", "/v2.1/boxes", {"box": {"name": "n"}}, headers=reader), 403, "forbidden")
    assert "weight" not in call("GET", "/v2.1/boxes/b0").json["box"]
    assert call("GET", "/v2.1/boxes/b0", user="admin").json["box"]["weight"] == 7


def test_order_of_checks(call: Caller) -> None:
    """Version, content type, action, project, life span, schema, policy."""
    xml = {"Content-Type": "application/xml"}
    path = "/v2.1/bbbb2222/boxes/b0/action"
    assert call("POST", path, b"<", version="9.9", headers=xml).status_int == 406
    assert call("POST", path, b"<", headers=xml).status_int == 415
    assert "no such action" in call("POST", path, {"melt": 1}).text
    assert "project_id" in call("POST", path, {"burn": 1}).text
    assert call("POST", "/v2.1/boxes/b0/action", {"paint": 1}, headers={"X-Roles": "none"}).status_int == 400


def test_surprises_show_nothing(call: Caller) -> None:
    answer = call("POST", "/v2.1/boxes/b0/action", {"smash": None}, user="admin", version="2.2")
    message = fault(answer, 500, "computeFault")
    assert answer.headers["OpenStack-API-Version"] == "compute 2.2" and "Vary" in answer.headers
    assert "RuntimeError" in message and "secret" not in answer.text


def test_no_token_is_401(call: Caller) -> None:
    answer = call("GET", "/v2.1/boxes", user="")
    assert answer.status_int == 401
    assert answer.json["error"]["title"] == "Unauthorized"
    assert "x-compute-request-id" in answer.headers


def test_paging(call: Caller) -> None:
    page = call("GET", "/v2.1/boxes?limit=1", version="2.10").json
    assert [box["id"] for box in page["boxes"]] == ["b0"]
    assert page["boxes_links"] == [{"rel": "next", "href": "http://localhost/v2.1/boxes?limit=1&marker=b0"}]
    last = call("GET", "/v2.1/boxes?limit=2", version="2.10").json
    assert last["boxes_links"][0]["href"].endswith("?limit=2&marker=b1")
    assert "boxes_links" not in call("GET", "/v2.1/boxes?limit=3", version="2.10").json
    assert call("GET", "/v2.1/boxes?limit=0", version="2.10").json == {"boxes": []}
    small = build(max_limit=1)
    assert len(small("GET", "/v2.1/boxes?limit=500").json["boxes"]) == 1


def test_nul_characters_go_nowhere(call: Caller) -> None:
    for body in (
        b'{"box": {"name": "a\\u0000b"}}',
        b'{"box": {"na\\u0000me": "x"}}',
        b'[{"a": ["\\u0000"]}]',
    ):
        assert "NUL" in fault(call("POST", "/v2.1/boxes", body), 400, "badRequest")
    assert call("POST", "/v2.1/boxes", b'{"box": {"name": "a\\\\u0000b"}}').status_int == 200
    assert "NUL" in fault(call("GET", "/v2.1/boxes?marker=%00"), 400, "badRequest")
    assert call("GET", "/v2.1/boxes/a%00b").status_int == 404


def test_names_in_paths_are_utf8(call: Caller) -> None:
    assert "grün" in fault(call("GET", "/v2.1/boxes/gr%C3%BCn"), 404, "itemNotFound")
    assert "itemNotFound" not in call("GET", "/v2.1/boxes/gr%FCn").text


def test_a_project_id_of_any_form_is_known_to_its_owner(call: Caller) -> None:
    assert call("GET", "/v2.1/My Project/boxes", user="joe:My Project").json == {"boxes": []}
    assert call("GET", "/v2.1/Other Project/boxes", user="joe:My Project").status_int == 404


def test_link_prefix() -> None:
    call = build(compute_link_prefix="https://cloud.example/compute/")
    link = call("GET", "/v2.1/boxes/b0").json["box"]["links"][0]["href"]
    assert link == "https://cloud.example/compute/v2.1/boxes/b0"


def test_global_request_id_is_kept_only_if_well_formed(call: Caller) -> None:
    given = "req-11111111-2222-3333-4444-555555555555"
    answer = call("GET", "/v2.1/boxes", headers={"X-OpenStack-Request-ID": given})
    assert answer.headers["x-openstack-request-id"] != given


def test_legacy_endpoint(call: Caller) -> None:
    answer = call("GET", f"/v2/{PROJECT}/boxes/b0", version="2.9")
    assert answer.status_int == 200
    assert "OpenStack-API-Version" not in answer.headers
    assert "note" not in answer.json["box"]
    assert answer.json["box"]["links"][0]["href"].startswith(f"http://localhost/v2/{PROJECT}/")
    loose = call("POST", "/v2/boxes", {"box": {"name": " padded ", "weird": 1}, "other": 2})
    assert loose.status_int == 200, loose.text
    fault(call("POST", "/v2.1/boxes", {"box": {"name": " padded "}}), 400, "badRequest")
