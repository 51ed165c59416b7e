"""The folder of images."""

from __future__ import annotations

import io
import pathlib

import pytest

from nova.clock import StoppedClock
from nova.conf import load
from nova.errors import Conflict
from nova.errors.servers import ImageNotFound
from nova.image.base import ImageQuery
from nova.image.choice import image_store
from nova.image.directory import DirectoryStore
from nova.objects.ids import ImageId, ProjectId
from nova.objects.image import NewImage

OWNER = ProjectId("p1")


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def store(tmp_path: pathlib.Path, clock: StoppedClock) -> DirectoryStore:
    return DirectoryStore(tmp_path / "images", clock)


def test_an_image_grows_from_queued_to_active_and_goes(store: DirectoryStore) -> None:
    made = store.create(NewImage(name="snap", properties={"a": "1"}), OWNER, {"b": "2"})
    assert made.status == "queued"
    assert made.properties == {"a": "1", "b": "2"}
    store.upload(made.id, io.BytesIO(b"0123456789"))
    shown = store.show(made.id)
    assert (shown.status, shown.size_bytes) == ("active", 10)
    assert shown.checksum == "781e5e245d69b566979b86e28d23f2c7"
    assert b"".join(store.download(made.id, 4)) == b"456789"
    with pytest.raises(Conflict):
        store.upload(made.id, io.BytesIO(b"other"))
    assert store.update(made.id, {"c": "3"}).properties == {"c": "3"}
    store.delete(made.id)
    with pytest.raises(ImageNotFound):
        store.show(made.id)


def test_an_image_with_a_chosen_id_is_made_once(store: DirectoryStore) -> None:
    wanted = ImageId("0d5f5a5e-0000-4000-8000-000000000001")
    first = store.create(NewImage(name="x"), OWNER, image_id=wanted)
    assert store.create(NewImage(name="y"), OWNER, image_id=wanted) == first


@pytest.mark.parametrize("name", ["../secret", "", "a/b", "nothing"])
def test_what_is_no_image_is_not_found(store: DirectoryStore, name: str) -> None:
    with pytest.raises(ImageNotFound):
        store.show(ImageId(name))
    with pytest.raises(ImageNotFound):
        store.download(ImageId(name))


def test_a_plain_file_is_a_public_image(store: DirectoryStore, tmp_path: pathlib.Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "tiny.qcow2").write_bytes(b"data")
    (image,) = store.list(ImageQuery(), ProjectId("anybody"))
    assert (image.name, image.disk_format, image.visibility, image.size_bytes) == (
        "tiny",
        "qcow2",
        "public",
        4,
    )
    assert b"".join(store.download(image.id)) == b"data"
    assert store.update(image.id, {**image.properties, "hw_disk_bus": "sata"}).name == "tiny"
    assert len(store.list(ImageQuery())) == 1
    assert b"".join(store.download(image.id)) == b"data"


OUTSIDE = ("nova_file", "file", "location", "direct_url", "path", "id")


@pytest.mark.parametrize("where", ["{outside}", "../outside", "../../{folder}/outside"])
def test_properties_lead_nowhere(store: DirectoryStore, tmp_path: pathlib.Path, where: str) -> None:
    """Users write properties: no word of theirs may name a file of the host."""
    outside = tmp_path / "outside"
    outside.write_bytes(b"of the host")
    said = where.format(outside=outside, folder=tmp_path.name)
    properties = dict.fromkeys(OUTSIDE, said)
    made = store.create(NewImage(name="snap", properties=properties), OWNER, properties)
    store.upload(made.id, io.BytesIO(b"mine"))
    assert b"".join(store.download(made.id)) == b"mine"
    store.update(made.id, properties)
    assert b"".join(store.download(made.id)) == b"mine"
    store.delete(made.id)
    assert outside.read_bytes() == b"of the host"


def test_a_described_plain_file_keeps_its_data(store: DirectoryStore, tmp_path: pathlib.Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "tiny.raw").write_bytes(b"data")
    (tmp_path / "images" / "other.raw").write_bytes(b"other")
    tiny = next(image for image in store.list(ImageQuery()) if image.name == "tiny")
    store.update(tiny.id, {"nova_file": "other.raw"})
    assert b"".join(store.download(tiny.id)) == b"data"
    store.delete(tiny.id)
    assert [path.name for path in (tmp_path / "images").iterdir()] == ["other.raw"]


def test_lists_are_filtered_paged_and_private(store: DirectoryStore, clock: StoppedClock) -> None:
    made = []
    for number in range(4):
        made.append(store.create(NewImage(name=f"i{number % 2}", min_disk_gb=number), OWNER).id)
        clock.advance(1)
    newest_first = made[::-1]
    assert [i.id for i in store.list(ImageQuery())] == newest_first
    assert [i.id for i in store.list(ImageQuery(limit=2, marker=newest_first[0]))] == newest_first[1:3]
    assert [i.id for i in store.list(ImageQuery(name="i1"))] == [made[3], made[1]]
    assert [i.id for i in store.list(ImageQuery(min_disk_gb=3))] == [made[3]]
    assert store.list(ImageQuery(), ProjectId("other")) == []
    with pytest.raises(ImageNotFound):
        store.show(made[0], ProjectId("other"))


def test_the_configuration_chooses_it(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "nova.conf"
    file.write_text(f"[DEFAULT]\nstate_path = {tmp_path}\n[image]\nstore = directory\n")
    store = image_store(load([], [str(file)]))
    image = store.create(NewImage(name="x"), OWNER)
    assert (tmp_path / "images" / f"{image.id}.json").exists()
