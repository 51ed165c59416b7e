"""What users write on images: it names no file of the host, and opens no image of another project."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova.image.choice import image_store
from nova.objects.ids import ProjectId
from nova.objects.image import BOOT_FILES, NewImage
from tests.support.cloud import Bench, User, eventually, running_cloud

WORDS = ("nova_file", "file", "location", "path", "direct_url", "backing_file", "img_backing_file")
"""Properties by which an image could be told where its bytes are."""
PROXY = "2.35"
"""The last version in which ``/images`` is there."""
SAID = b"of the host"
DEMO = ProjectId("demo")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with running_cloud(tmp_path_factory.mktemp("properties")) as bench:
        yield bench


def snapshot(user: User, server: str, metadata: dict[str, str]) -> str:
    """Make an image of a server; return its id when its data is there."""
    body = {"name": "shot", "metadata": metadata}
    answer = user.ask("POST", f"/servers/{server}/action", {"createImage": body}, version="2.45")
    assert answer.status == 202, answer
    image = str(answer.body["image_id"])
    eventually(lambda: status(user, image) == "ACTIVE")
    return image


def status(user: User, image: str) -> str:
    return str(user.ask("GET", f"/images/{image}", version=PROXY).body["image"]["status"])


@pytest.mark.parametrize("how", ["absolute", "relative"])
def test_no_property_of_an_image_names_a_file_of_the_host(cloud: Bench, tmp_path: Path, how: str) -> None:
    """Snapshots write, boots read and deletions remove: all of it in the image's own place."""
    target = tmp_path / "important"
    target.write_bytes(SAID)
    up = "../" * 12
    metadata = dict.fromkeys(WORDS, str(target) if how == "absolute" else f"{up}{target.relative_to('/')}")
    server = cloud.demo.boot(cloud.image)
    cloud.demo.wait(server, "ACTIVE")
    image = snapshot(cloud.demo, server, metadata)
    assert target.read_bytes() == SAID, "a snapshot wrote to it"
    answer = cloud.demo.ask("PUT", f"/images/{image}/metadata", {"metadata": metadata}, version=PROXY)
    assert answer.status == 200, answer
    copy = cloud.demo.boot(image)
    cloud.demo.wait(copy, "ACTIVE")
    stored = b"".join(image_store(cloud.conf).download(image_store(cloud.conf).show(image).id))
    assert SAID not in stored, "the image shows it"
    assert cloud.demo.ask("DELETE", f"/images/{image}", version=PROXY).status == 204
    assert target.read_bytes() == SAID, "deleting the image touched it"


@pytest.mark.parametrize("word", BOOT_FILES)
def test_a_kernel_of_another_project_is_not_booted(cloud: Bench, word: str) -> None:
    """Hosts fetch images in the cloud's own name: whose a kernel or ramdisk is, is judged at the door."""
    store = image_store(cloud.conf)
    secret = store.create(NewImage(name="secret", disk_format="aki"), ProjectId("other"))
    store.upload(secret.id, io.BytesIO(b"theirs"))
    own = store.create(NewImage(name="own", disk_format="ami", properties={word: secret.id}), DEMO)
    store.upload(own.id, io.BytesIO(b"\0" * 4096))
    wish = {"name": "thief", "imageRef": own.id, "flavorRef": "1", "networks": "none"}
    answer = cloud.demo.ask("POST", "/servers", {"server": wish})
    assert answer.status == 400, answer
    assert secret.id in answer.body["badRequest"]["message"]
    fresh = store.create(NewImage(name="fresh", disk_format="ami", properties={word: "../x"}), DEMO)
    store.upload(fresh.id, io.BytesIO(b"\0" * 4096))
    answer = cloud.demo.ask("POST", "/servers", {"server": wish | {"imageRef": fresh.id}})
    assert answer.status == 400, answer


def test_a_kernel_of_ones_own_is_booted(cloud: Bench) -> None:
    store = image_store(cloud.conf)
    part = store.create(NewImage(name="kernel", disk_format="aki"), DEMO)
    store.upload(part.id, io.BytesIO(b"mine"))
    own = store.create(NewImage(name="own", properties=dict.fromkeys(BOOT_FILES, part.id)), DEMO)
    store.upload(own.id, io.BytesIO(b"\0" * 4096))
    cloud.demo.wait(cloud.demo.boot(own.id), "ACTIVE")
