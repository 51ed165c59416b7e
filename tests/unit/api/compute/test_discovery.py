"""The version documents, word for word."""

from __future__ import annotations

from tests.unit.api.wsgi.conftest import PROJECT, Caller, build

HOST = "http://localhost"


def entry(version: str) -> dict:
    if version == "v2.0":
        facts = {"status": "DEPRECATED", "version": "", "min_version": "", "updated": "2025-07-04T12:00:00Z"}
        href = f"{HOST}/v2/"
    else:
        facts = {
            "status": "CURRENT",
            "version": "2.10",
            "min_version": "2.1",
            "updated": "2013-07-23T11:33:21Z",
        }
        href = f"{HOST}/v2.1/"
    return {"id": version, "links": [{"rel": "self", "href": href}], **facts}


def full(version: str) -> dict:
    one = entry(version)
    one["links"].append({"rel": "describedby", "type": "text/html", "href": "http://docs.openstack.org/"})
    kind = "2" if version == "v2.0" else "2.1"
    one["media-types"] = [
        {"base": "application/json", "type": f"application/vnd.openstack.compute+json;version={kind}"}
    ]
    return {"version": one}


def test_root_needs_no_token() -> None:
    call = build()
    answer = call("GET", "/", user="")
    assert answer.status_int == 200
    assert answer.json == {"versions": [entry("v2.0"), entry("v2.1")]}
    assert "OpenStack-API-Version" not in answer.headers


def test_single_documents() -> None:
    call = build()
    for path, version in (("/v2.1", "v2.1"), ("/v2.1/", "v2.1"), ("/v2", "v2.0"), ("/v2/", "v2.0")):
        assert call("GET", path, user="").json == full(version)
    check_authenticated(call)


def check_authenticated(call: Caller) -> None:
    assert call("GET", f"/v2.1/{PROJECT}/", user="").status_int == 401
    assert call("GET", f"/v2.1/{PROJECT}/").json == full("v2.1")
    assert call("GET", "/v2.1/versions/v2.1").json == full("v2.1")
    assert call("GET", "/v2.1/versions/v2.0").json == full("v2.0")
    assert call("GET", "/v2.1/versions/v3").status_int == 404
    assert call("GET", f"/v2/{PROJECT}/").json == full("v2.0")
    redirect = call("GET", f"/v2.1/{PROJECT}")
    assert redirect.status_int == 302
    assert redirect.headers["Location"] == f"{HOST}/v2.1/{PROJECT}/"


def test_anything_else_offers_choices() -> None:
    answer = build()("GET", "/v1/images", user="")
    assert answer.status_int == 300
    assert [choice["id"] for choice in answer.json["choices"]] == ["v2.0", "v2.1"]
    assert answer.json["choices"][1]["links"][0]["href"] == f"{HOST}/v2.1/v1/images"
