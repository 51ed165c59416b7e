"""Glance's client against a small image service of the test's own, over real HTTP."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from keystoneauth1 import noauth, session
from keystoneauth1.adapter import Adapter

from nova.clock import StoppedClock
from nova.errors import Unavailable
from nova.errors.servers import ImageNotFound
from nova.image.base import ImageQuery
from nova.image.glance import GlanceStore
from nova.objects.ids import ImageId, ProjectId
from nova.objects.image import NewImage

OWNER = ProjectId("p1")


class Service(ThreadingHTTPServer):
    """Images in memory; ``failures`` answers of 503 come first."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.images: dict[str, dict[str, Any]] = {}
        self.data: dict[str, bytes] = {}
        self.members: set[tuple[str, str]] = set()
        self.failures = 0
        self.asked: list[str] = []


class Handler(BaseHTTPRequestHandler):
    server: Service
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_any(self) -> None:
        service = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        service.asked.append(f"{self.command} {self.path}")
        if service.failures:
            service.failures -= 1
            return self.answer(503)
        parts = self.path.partition("?")[0].strip("/").split("/")[2:]
        if not parts:
            return self.collection(body)
        found = service.images.get(parts[0])
        if found is None:
            return self.answer(404)
        if parts[1:2] == ["members"]:
            return self.answer(200 if (parts[0], parts[2]) in service.members else 404, b"{}")
        if parts[1:] == ["file"]:
            return self.file(parts[0], body)
        if self.command == "PATCH":
            for change in json.loads(body):
                if change["op"] == "remove":
                    del found[change["path"][1:]]
                else:
                    found[change["path"][1:]] = change["value"]
        if self.command == "DELETE":
            del service.images[parts[0]]
            return self.answer(204)
        return self.answer(200, json.dumps(found).encode())

    def collection(self, body: bytes) -> None:
        service = self.server
        if self.command == "POST":
            wanted = json.loads(body)
            wanted.setdefault("id", f"image-{len(service.images)}")
            if wanted["id"] in service.images:
                return self.answer(409)
            service.images[wanted["id"]] = wanted | {
                "status": "queued",
                "created_at": "2030-01-01T00:00:00Z",
                "updated_at": "2030-01-01T00:00:00Z",
                "size": None,
                "tags": [],
            }
            return self.answer(201, json.dumps(service.images[wanted["id"]]).encode())
        listed = list(service.images.values())
        page: dict[str, Any] = {"images": listed[:2]}
        if "page=2" in self.path:
            page = {"images": listed[2:]}
        elif len(listed) > 2:
            page["next"] = "/v2/images?page=2"
        return self.answer(200, json.dumps(page).encode())

    def file(self, image: str, body: bytes) -> None:
        service = self.server
        if self.command == "PUT":
            if service.images[image]["status"] == "active":
                return self.answer(409)
            service.data[image] = body
            service.images[image] |= {"status": "active", "size": len(body)}
            return self.answer(204)
        data = service.data.get(image)
        if data is None:
            return self.answer(204)
        wanted = self.headers.get("Range")
        if wanted:
            return self.answer(206, data[int(wanted.removeprefix("bytes=").rstrip("-")) :])
        return self.answer(200, data)


for _verb in ("GET", "POST", "PUT", "PATCH", "DELETE"):
    setattr(Handler, f"do_{_verb}", Handler.handle_any)


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(5)


@pytest.fixture
def store(service: Service) -> GlanceStore:
    url = f"http://127.0.0.1:{service.server_address[1]}"
    auth = noauth.NoAuth(endpoint=url)
    adapter = Adapter(session.Session(auth=auth, timeout=5), auth=auth, endpoint_override=url)
    return GlanceStore(lambda: adapter, StoppedClock())


def test_an_image_is_made_filled_read_changed_and_deleted(store: GlanceStore, service: Service) -> None:
    made = store.create(
        NewImage(name="snap", properties={"os": "x", "status": "evil"}, min_disk_gb=3), OWNER, {"base": "b"}
    )
    assert (made.status, made.owner, made.min_disk_gb) == ("queued", OWNER, 3)
    assert made.properties == {"os": "x", "base": "b"}
    with pytest.raises(ImageNotFound):
        store.download(made.id)
    data = io.BytesIO(b"--0123456789")
    data.seek(2)
    service.failures = 1
    store.upload(made.id, data)
    assert store.show(made.id).size_bytes == 10
    assert b"".join(store.download(made.id)) == b"0123456789"
    assert b"".join(store.download(made.id, 7)) == b"789"
    assert store.update(made.id, {"os": "y", "new": "z"}).properties == {"os": "y", "new": "z"}
    store.delete(made.id)
    with pytest.raises(ImageNotFound):
        store.show(made.id)


def test_an_upload_whose_answer_was_lost_is_done(store: GlanceStore, service: Service) -> None:
    made = store.create(NewImage(name="snap"), OWNER)
    service.images[made.id] |= {"status": "active"}
    store.upload(made.id, io.BytesIO(b"x"))


def test_an_image_with_a_chosen_id_is_made_once(store: GlanceStore, service: Service) -> None:
    first = store.create(NewImage(name="a"), OWNER, image_id=ImageId("chosen"))
    assert store.create(NewImage(name="b"), OWNER, image_id=ImageId("chosen")) == first
    assert len(service.images) == 1


def test_a_service_that_is_away_is_asked_a_few_times(store: GlanceStore, service: Service) -> None:
    service.failures = 2
    with pytest.raises(ImageNotFound):
        store.show(ImageId("i"))
    service.failures = 100
    service.asked.clear()
    with pytest.raises(Unavailable):
        store.show(ImageId("i"))
    assert len(service.asked) == 3
    service.asked.clear()
    with pytest.raises(Unavailable):
        store.create(NewImage(name="a"), OWNER)
    assert len(service.asked) == 1


def test_nobody_listening_is_unavailable() -> None:
    auth = noauth.NoAuth(endpoint="http://127.0.0.1:9")
    adapter = Adapter(
        session.Session(auth=auth, timeout=5), auth=auth, endpoint_override="http://127.0.0.1:9"
    )
    with pytest.raises(Unavailable):
        GlanceStore(lambda: adapter, StoppedClock()).show(ImageId("i"))


def test_projects_see_their_own_open_and_shared_images(store: GlanceStore, service: Service) -> None:
    for visibility in ("private", "public", "shared", "community"):
        store.create(NewImage(name=visibility, visibility=visibility), OWNER, image_id=ImageId(visibility))
    other = ProjectId("p2")
    assert [i.id for i in store.list(ImageQuery(), other)] == ["public", "community"]
    service.members.add(("shared", "p2"))
    assert [i.id for i in store.list(ImageQuery(), other)] == ["public", "shared", "community"]
    assert len(store.list(ImageQuery(), OWNER)) == 4
    assert len(store.list(ImageQuery(limit=3))) == 3
    with pytest.raises(ImageNotFound):
        store.show(ImageId("private"), other)


@pytest.mark.parametrize("name", ["", "..", "../tasks", "a/file", "a?b", "a%2f..", "x" * 100])
def test_what_is_no_id_is_not_asked_for(store: GlanceStore, service: Service, name: str) -> None:
    """Ids come from users, also in properties of images; in a path they could name something else."""
    with pytest.raises(ImageNotFound):
        store.show(ImageId(name))
    with pytest.raises(ImageNotFound):
        store.delete(ImageId(name))
    assert service.asked == []


def test_a_filter_by_property_changes_no_other_part_of_a_query(store: GlanceStore, service: Service) -> None:
    for number in range(3):
        store.create(NewImage(name="a", properties={"os": str(number)}), OWNER)
    service.asked.clear()
    found = store.list(ImageQuery(properties={"limit": "0", "visibility": "all", "os": "1"}))
    assert found == [], "no image has properties of these names"
    assert service.asked[0] == "GET /v2/images?os=1&limit=100"
    assert [image.properties["os"] for image in store.list(ImageQuery(properties={"os": "1"}))] == ["1"]
