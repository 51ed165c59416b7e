"""Images and their properties, from a real folder store."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from nova.clock import StoppedClock
from nova.image.directory import DirectoryStore
from nova.objects.ids import ProjectId
from nova.objects.image import NewImage
from nova.objects.quota import QuotaSet
from tests.unit.api.compute.site import ADMIN, site
from tests.unit.api.wsgi.conftest import Caller


class Quotas:
    def show_quotas(self, ctx, project, user_id):
        return QuotaSet(project_id=project, limits={"metadata_items": 3})


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path, StoppedClock())


@pytest.fixture
def call(store: DirectoryStore) -> Caller:
    return site(Quotas(), images=lambda: store)


def keep(store: DirectoryStore, name: str, owner: str = "aaaa1111", **more: Any) -> str:
    image = store.create(NewImage(name=name, **more), ProjectId(owner))
    store.upload(image.id, io.BytesIO(b"data"))
    return image.id


def test_an_image_in_full(call: Caller, store: DirectoryStore) -> None:
    properties = {"instance_uuid": "s1", "auto_disk_config": "True"}
    id = keep(store, "snap", min_disk_gb=2, properties=properties)
    shown = call("GET", f"/v2.1/images/{id}").json["image"]
    assert (shown["name"], shown["status"], shown["progress"]) == ("snap", "ACTIVE", 100)
    assert (shown["minDisk"], shown["OS-EXT-IMG-SIZE:size"]) == (2, 4)
    assert shown["server"]["id"] == "s1"
    assert shown["OS-DCF:diskConfig"] == "AUTO"
    assert shown["metadata"] == properties
    assert shown["created"] == "2030-01-01T00:00:00Z"
    assert [link["rel"] for link in shown["links"]] == ["self", "bookmark", "alternate"]
    assert call("GET", f"/v2.1/images/{id}", version="2.36").status_int == 404
    assert call("GET", "/v2.1/images/nope").status_int == 404


def test_lists_and_filters(call: Caller, store: DirectoryStore) -> None:
    keep(store, "a", properties={"os": "linux"})
    keep(store, "b", min_ram_mb=512)
    store.create(NewImage(name="waiting"), ProjectId("aaaa1111"))

    def names(query: str) -> set[str]:
        return {image["name"] for image in call("GET", f"/v2.1/images/detail{query}").json["images"]}

    assert names("") == {"a", "b", "waiting"}
    assert names("?name=a") == {"a"}
    assert names("?property-os=linux") == {"a"}
    assert names("?minRam=512") == {"b"}
    assert names("?status=ACTIVE") == {"a", "b"}
    page = call("GET", "/v2.1/images?limit=2").json
    assert len(page["images"]) == 2
    follow = page["images_links"][0]["href"].removeprefix("http://localhost")
    rest = call("GET", follow).json
    assert len(rest["images"]) == 1
    assert "images_links" not in rest
    assert call("GET", "/v2.1/images?changes-since=never").status_int == 400
    assert call("GET", "/v2.1/images?minDisk=big").status_int == 400


def test_images_of_others(call: Caller, store: DirectoryStore) -> None:
    hidden = keep(store, "hidden", owner="bbbb")
    public = keep(store, "public", owner="bbbb", visibility="public")
    assert call("GET", f"/v2.1/images/{hidden}").status_int == 404
    assert call("GET", f"/v2.1/images/{public}").status_int == 200
    assert call("DELETE", f"/v2.1/images/{public}").status_int == 403
    assert call("DELETE", f"/v2.1/images/{public}", user=ADMIN).status_int == 204
    assert call("GET", f"/v2.1/images/{public}").status_int == 404


def test_properties(call: Caller, store: DirectoryStore) -> None:
    path = f"/v2.1/images/{keep(store, 'a', properties={'x': '1'})}/metadata"
    assert call("GET", path).json == {"metadata": {"x": "1"}}
    assert call("POST", path, {"metadata": {"y": "2"}}).json == {"metadata": {"x": "1", "y": "2"}}
    assert call("PUT", path + "/x", {"meta": {"x": "9"}}).json == {"meta": {"x": "9"}}
    assert call("PUT", path + "/x", {"meta": {"y": "9"}}).status_int == 400
    assert call("GET", path + "/x").json == {"meta": {"x": "9"}}
    assert call("DELETE", path + "/x").status_int == 204
    assert call("GET", path + "/x").status_int == 404
    assert call("DELETE", path + "/x").status_int == 404
    assert call("PUT", path, {"metadata": {"z": "3"}}).json == {"metadata": {"z": "3"}}
    assert call("POST", path, {"metadata": dict.fromkeys("abcd", "1")}).status_int == 403
    assert call("GET", path, version="2.38").status_int == 200
    assert call("GET", path, version="2.39").status_int == 404


def test_without_a_store_images_are_not_served() -> None:
    assert site(Quotas())("GET", "/v2.1/images").status_int == 501
