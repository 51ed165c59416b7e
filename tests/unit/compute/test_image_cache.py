"""The image cache with a real folder store and real files."""

from __future__ import annotations

import concurrent.futures
import hashlib
import io
import os
import pathlib
import shutil
from collections.abc import Iterator
from typing import BinaryIO

import msgspec
import pytest

from nova.clock import Clock, StoppedClock
from nova.compute.image_cache import ImageCache
from nova.errors import Unavailable
from nova.errors.servers import ImageNotFound
from nova.errors.virt import HostFull, ImageUnusable
from nova.image.directory import DirectoryStore
from nova.objects.ids import ImageId, ProjectId
from nova.objects.image import Image, NewImage
from nova.virt.fake.disk import disk_image

OWNER = ProjectId("p")


class CountingStore(DirectoryStore):
    """Counts downloads, and breaks the first ones off."""

    def __init__(self, folder: pathlib.Path, clock: Clock) -> None:
        super().__init__(folder, clock)
        self.offsets: list[int] = []
        self.break_offs = 0
        self.spoil = b""

    def download(self, image_id: ImageId, offset: int = 0) -> Iterator[bytes]:
        data = b"".join(super().download(image_id, offset)) + self.spoil
        self.offsets.append(offset)
        if self.break_offs:
            self.break_offs -= 1
            yield data[: len(data) // 2]
            raise Unavailable(part="the image service")
        yield data

    def put(self, data: bytes, disk_format: str = "raw") -> Image:
        made = self.create(NewImage(name="x", disk_format=disk_format), OWNER)
        self.upload(made.id, _file(data))
        return self.show(made.id)


def _file(data: bytes) -> BinaryIO:
    return io.BytesIO(data)


@pytest.fixture
def store(tmp_path: pathlib.Path) -> CountingStore:
    return CountingStore(tmp_path / "store", Clock())


@pytest.fixture
def cache(tmp_path: pathlib.Path, store: CountingStore) -> ImageCache:
    return ImageCache(tmp_path / "_base", store, StoppedClock())


def test_an_image_is_brought_once_and_then_here(cache: ImageCache, store: CountingStore) -> None:
    image = store.put(b"a" * 2048)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: cache.fetch(image.id, image, "h"), range(16)))
    assert len(set(found)) == 1
    assert found[0].format == "raw"
    assert found[0].path.read_bytes() == b"a" * 2048
    assert store.offsets == [0]
    twin = store.put(b"a" * 2048)
    assert cache.fetch(twin.id, None, "h") == found[0]
    assert store.offsets == [0]


def test_a_download_that_broke_off_goes_on(cache: ImageCache, store: CountingStore) -> None:
    image = store.put(bytes(range(256)) * 8)
    store.break_offs = 2
    assert cache.fetch(image.id, image, "h").path.read_bytes() == bytes(range(256)) * 8
    assert store.offsets == [0, 1024, 1536]
    other = store.put(b"b" * 2048)
    store.break_offs = 3
    with pytest.raises(Unavailable):
        cache.fetch(other.id, other, "h")
    assert cache.fetch(other.id, other, "h").path.exists()


def test_bytes_that_were_not_promised_are_refused(
    cache: ImageCache, store: CountingStore, tmp_path: pathlib.Path
) -> None:
    image = store.put(b"a" * 2048)
    store.spoil = b"more"
    with pytest.raises(ImageUnusable):
        cache.fetch(image.id, image, "h")
    store.spoil = b""
    lying = msgspec.structs.replace(image, hash_value=hashlib.sha512(b"other").hexdigest())
    with pytest.raises(ImageUnusable):
        cache.fetch(image.id, lying, "h")
    assert list((tmp_path / "_base").iterdir()) == []


def test_an_image_that_looks_like_another_format_is_refused(cache: ImageCache, store: CountingStore) -> None:
    image = store.put(disk_image("qcow2", b""), "raw")
    with pytest.raises(ImageUnusable):
        cache.fetch(image.id, image, "h")


def test_what_is_no_image_is_not_found(cache: ImageCache) -> None:
    with pytest.raises(ImageNotFound):
        cache.fetch(ImageId("nothing"), None, "h")


def test_an_image_too_large_for_the_host_is_told(cache: ImageCache, store: CountingStore) -> None:
    image = msgspec.structs.replace(store.put(b"a" * 512), size_bytes=1 << 60)
    with pytest.raises(HostFull):
        cache.fetch(image.id, image, "h")


def test_a_disk_larger_than_allowed_is_refused(tmp_path: pathlib.Path, store: CountingStore) -> None:
    image = store.put(disk_image("qcow2", b""), "qcow2")
    small = ImageCache(tmp_path / "b", store, StoppedClock(), max_bytes=1024)
    with pytest.raises(ImageUnusable):
        small.fetch(image.id, image, "h")


@pytest.mark.parametrize("raw", [True, False])
def test_disks_are_kept_raw_or_as_they_came(tmp_path: pathlib.Path, store: CountingStore, raw: bool) -> None:
    assert shutil.which("qemu-img") is not None
    image = store.put(disk_image("qcow2", b""), "qcow2")
    found = ImageCache(tmp_path / "b", store, StoppedClock(), raw=raw).fetch(image.id, image, "h")
    assert found.format == ("raw" if raw else "qcow2")
    assert (found.path.stat().st_size == 65536) is raw


def test_only_what_nobody_uses_is_dropped(tmp_path: pathlib.Path, store: CountingStore) -> None:
    cache = ImageCache(tmp_path / "_base", store, Clock())
    assert cache.drop_unused(0) is None
    used, unused, fresh = (cache.fetch(store.put(bytes([n]) * 512).id, None, "h").path for n in range(3))
    os.link(used, tmp_path / "own")
    for path in (used, unused):
        os.utime(path, (1, 1))
    assert cache.drop_unused(3600) == "1 files dropped"
    assert (used.exists(), unused.exists(), fresh.exists()) == (True, False, True)
