"""The image store over a real Glance, with the credentials of a service user from ``[glance]``."""

from __future__ import annotations

import io
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from nova import ids
from nova.clock import Clock
from nova.compute.image_cache import ImageCache
from nova.conf import load
from nova.errors import BadRequest, Conflict
from nova.errors.admin import ImageServiceAmiss
from nova.errors.servers import ImageNotFound
from nova.image.base import ImageQuery, ImageStore
from nova.image.choice import image_store
from nova.image.probe import probe
from nova.objects.ids import ImageId, ProjectId
from nova.objects.image import NewImage
from nova.virt.fake.disk import disk_image
from nova_tools.guest_image import GLANCE_PROPERTIES
from tests.support.glance import glance
from tests.support.guest_image import guest_image
from tests.support.keystone import PASSWORD, RunningKeystone, keystone


@pytest.fixture(scope="module")
def identity() -> Iterator[RunningKeystone]:
    with keystone() as server, glance(server) as images:
        images.store(server.token().value, "tiny", guest_image().disk, GLANCE_PROPERTIES)
        yield server


def configured(identity: RunningKeystone, folder: pathlib.Path, user: str, password: str = PASSWORD) -> Any:
    account = identity.environment(user)
    file = folder / "nova.conf"
    words = ("auth_url", "username", "password", "project_name", "user_domain_name", "project_domain_name")
    values = {word: account[f"OS_{word.upper()}"] for word in words if word != "password"}
    values["password"] = password
    file.write_text("[glance]\n" + "".join(f"{key} = {value}\n" for key, value in values.items()))
    return load([], [str(file)])


@pytest.fixture(params=["admin", "nova"])
def store(request: pytest.FixtureRequest, identity: RunningKeystone, tmp_path: pathlib.Path) -> ImageStore:
    return image_store(configured(identity, tmp_path, request.param))


def test_operators_are_told_how_the_image_service_is(
    identity: RunningKeystone, tmp_path: pathlib.Path
) -> None:
    assert probe(configured(identity, tmp_path, "nova")).endswith(" answers")
    with pytest.raises(ImageServiceAmiss, match=r"^Unauthorized: "):
        probe(configured(identity, tmp_path, "nova", "wrong"))


def test_images_are_found_listed_and_brought_here(store: ImageStore, tmp_path: pathlib.Path) -> None:
    (found,) = store.list(ImageQuery(name="tiny"))
    image = store.show(found.id)
    assert (image.status, image.disk_format, image.hash_algo) == ("active", "qcow2", "sha512")
    assert image.properties["hw_disk_bus"] == "virtio"
    assert image.size_bytes == guest_image().disk.stat().st_size
    assert store.list(ImageQuery(name="tiny", limit=1, marker=found.id)) == []
    whole = guest_image().disk.read_bytes()
    assert b"".join(store.download(image.id, 1000)) == whole[1000:]
    cached = ImageCache(tmp_path, store, Clock(), raw=False).fetch(image.id, image, "h")
    assert (cached.format, cached.path.read_bytes()) == ("qcow2", whole)
    with pytest.raises(ImageNotFound):
        store.show(ImageId("no-such-image"))


def test_a_new_image_belongs_to_whom_it_is_for(store: ImageStore, identity: RunningKeystone) -> None:
    owner = ProjectId(identity.token("demo").project_id)
    other = ProjectId(identity.token("alt_demo").project_id)
    # Glance gives no id twice, not even after the image is gone.
    chosen = ImageId(ids.new_uuid())
    made = store.create(
        NewImage(name="snap", disk_format="raw", properties={"colour": "x"}), owner, image_id=chosen
    )
    try:
        assert store.create(NewImage(name="snap"), owner, image_id=chosen).id == made.id
        assert (made.id, made.status, made.owner) == (chosen, "queued", owner)
        with pytest.raises(ImageNotFound):
            store.download(chosen)
        store.upload(chosen, io.BytesIO(b"\0" * 4096))
        store.upload(chosen, io.BytesIO(b"\0" * 4096))
        shown = store.show(chosen, owner)
        assert (shown.status, shown.size_bytes) == ("active", 4096)
        assert store.update(chosen, {"a/b": "c"}).properties == {"a/b": "c"}
        with pytest.raises(ImageNotFound):
            store.show(chosen, other)
        assert chosen not in [image.id for image in store.list(ImageQuery(), other)]
        assert chosen in [image.id for image in store.list(ImageQuery(), owner)]
    finally:
        store.delete(chosen)
    with pytest.raises(ImageNotFound):
        store.show(chosen)
    with pytest.raises((ImageNotFound, Conflict)):
        store.create(NewImage(name="again"), owner, image_id=chosen)


def test_data_of_another_format_is_refused_at_once(store: ImageStore, identity: RunningKeystone) -> None:
    owner = ProjectId(identity.token("demo").project_id)
    made = store.create(NewImage(name="wrong", disk_format="qcow2"), owner)
    with pytest.raises(BadRequest):
        store.upload(made.id, io.BytesIO(b"\0" * 4096))
    store.delete(made.id)


def test_a_snapshot_of_a_fake_guest_is_an_image(store: ImageStore, identity: RunningKeystone) -> None:
    owner = ProjectId(identity.token("demo").project_id)
    for disk_format in ("qcow2", "raw"):
        made = store.create(NewImage(name="fake", disk_format=disk_format), owner)
        store.upload(made.id, io.BytesIO(disk_image(disk_format, b"a fake guest")))
        assert store.show(made.id).status == "active"
        store.delete(made.id)
