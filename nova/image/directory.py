"""A folder of images: for clouds without an image service, and for tests.

An image is ``<id>.data`` with ``<id>.json`` beside it.  A file put there under a plain name with a known
suffix (``debian-12.qcow2``) is an image too: public, named like the file, with an id that follows from its
name.
"""

from __future__ import annotations

import datetime
import hashlib
import os
import pathlib
import threading
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import msgspec

from nova import ids
from nova.clock import Clock
from nova.concurrency import in_native_thread
from nova.errors import Conflict, Forbidden, Unavailable
from nova.errors.servers import ImageNotFound
from nova.image.base import CHUNK_BYTES, ImageQuery, matches, refuse_strange
from nova.objects.ids import ImageId, ProjectId
from nova.objects.image import Image, NewImage

_FORMATS = {
    ".qcow2": "qcow2",
    ".raw": "raw",
    ".img": "raw",
    ".iso": "iso",
    ".vmdk": "vmdk",
    ".vdi": "vdi",
    ".vhd": "vhd",
    ".aki": "aki",
    ".ari": "ari",
    ".ami": "ami",
}
_READ = msgspec.json.Decoder(Image)
_WRITE = msgspec.json.Encoder()
_LONG_AGO = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


class DirectoryStore:
    """An ``ImageStore`` over a folder.  For many threads and processes of one machine."""

    def __init__(self, folder: pathlib.Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._lock = threading.Lock()

    def show(self, image_id: ImageId, project: ProjectId | None = None) -> Image:
        image = self._find(image_id)[0]
        if project is not None and image.owner != project and image.visibility not in _OPEN:
            raise ImageNotFound(id=image_id)
        return image

    def list(self, query: ImageQuery, project: ProjectId | None = None) -> Sequence[Image]:
        found = [image for image, _ in self._all() if matches(image, query)]
        if project is not None:
            found = [image for image in found if image.owner == project or image.visibility in _OPEN]
        found.sort(key=lambda image: (image.created_at or _LONG_AGO, image.id), reverse=True)
        if query.marker is not None:
            at = next((i for i, image in enumerate(found) if image.id == query.marker), None)
            if at is None:
                raise ImageNotFound(id=query.marker)
            found = found[at + 1 :]
        return found[: query.limit] if query.limit is not None else found

    def create(
        self,
        image: NewImage,
        owner: ProjectId,
        properties: dict[str, str] | None = None,
        image_id: ImageId | None = None,
    ) -> Image:
        with self._lock:
            if image_id is not None:
                try:
                    return self._find(image_id)[0]
                except ImageNotFound:
                    refuse_strange(image_id)
            now = self._clock.now()
            return self._write(
                Image(
                    id=image_id or ImageId(ids.new_uuid()),
                    name=image.name,
                    status="queued",
                    disk_format=image.disk_format,
                    container_format=image.container_format,
                    min_disk_gb=image.min_disk_gb,
                    min_ram_mb=image.min_ram_mb,
                    owner=owner,
                    visibility=image.visibility,
                    properties={**image.properties, **(properties or {})},
                    created_at=now,
                    updated_at=now,
                )
            )

    def update(self, image_id: ImageId, properties: dict[str, str]) -> Image:
        with self._lock:
            image, _ = self._find(image_id)
            return self._write(
                msgspec.structs.replace(image, properties=properties, updated_at=self._clock.now())
            )

    def upload(self, image_id: ImageId, data: BinaryIO) -> None:
        image, target = self._find(image_id)
        if image.status != "queued":
            raise Conflict(reason=f"Image {image_id} has its data already.")
        part = target.with_suffix(f".{ids.new_uuid()}.part")
        try:
            size, checksum, digest = in_native_thread(_copy, data, part)
            with self._lock:
                os.replace(part, target)
                self._write(
                    msgspec.structs.replace(
                        image,
                        status="active",
                        size_bytes=size,
                        checksum=checksum,
                        hash_algo="sha512",
                        hash_value=digest,
                        updated_at=self._clock.now(),
                    )
                )
        except OSError as error:
            raise Unavailable(part="the folder of images") from error
        finally:
            part.unlink(missing_ok=True)

    def download(self, image_id: ImageId, offset: int = 0) -> Iterator[bytes]:
        image, path = self._find(image_id)
        if image.status != "active":
            raise ImageNotFound(id=image_id)
        return _chunks(path, offset)

    def delete(self, image_id: ImageId) -> None:
        with self._lock:
            image, data = self._find(image_id)
            if image.protected:
                raise Forbidden(reason=f"Image {image_id} is protected.")
            self._facts(image_id).unlink(missing_ok=True)
            data.unlink(missing_ok=True)

    def add(self, source: pathlib.Path, image: NewImage, owner: ProjectId) -> Image:
        """Make an image from a file."""
        made = self.create(image, owner)
        with source.open("rb") as data:
            self.upload(made.id, data)
        return self.show(made.id)

    def _facts(self, image_id: str) -> pathlib.Path:
        return self._folder / f"{image_id}.json"

    def _find(self, image_id: ImageId) -> tuple[Image, pathlib.Path]:
        """Return an image and where its data is."""
        refuse_strange(image_id)
        try:
            read = _READ.decode(self._facts(image_id).read_bytes())
        except FileNotFoundError:
            for path in self._plain_files():
                if _plain_id(path) == image_id:
                    return _plain_image(path), path
            raise ImageNotFound(id=image_id) from None
        data = self._folder / f"{image_id}.data"
        if not data.exists():
            # A plain file that was described: its id says which one, never what users wrote beside it.
            data = next((path for path in self._plain_files() if _plain_id(path) == image_id), data)
        return read, data

    def _all(self) -> Sequence[tuple[Image, pathlib.Path]]:
        known = {path.stem for path in self._folder.glob("*.json")}
        names = [ImageId(name) for name in known]
        names += [_plain_id(path) for path in self._plain_files() if _plain_id(path) not in known]
        found = []
        for name in names:
            try:
                found.append(self._find(name))
            except ImageNotFound:
                continue  # deleted meanwhile
        return found

    def _plain_files(self) -> Sequence[pathlib.Path]:
        if not self._folder.is_dir():
            return []
        return sorted(path for path in self._folder.iterdir() if path.suffix in _FORMATS and path.is_file())

    def _write(self, image: Image) -> Image:
        self._folder.mkdir(parents=True, exist_ok=True)
        target = self._facts(image.id)
        draft = target.with_suffix(f".{ids.new_uuid()}.part")
        draft.write_bytes(_WRITE.encode(image))
        os.replace(draft, target)
        return image


_OPEN = ("public", "community")


def _plain_id(path: pathlib.Path) -> ImageId:
    return ImageId(ids.derived_uuid("image", path.name))


def _plain_image(path: pathlib.Path) -> Image:
    facts = path.stat()
    changed = datetime.datetime.fromtimestamp(facts.st_mtime, datetime.UTC)
    form = _FORMATS[path.suffix]
    return Image(
        id=_plain_id(path),
        name=path.stem,
        disk_format=form,
        container_format=form if form in ("aki", "ari", "ami") else "bare",
        size_bytes=facts.st_size,
        visibility="public",
        created_at=changed,
        updated_at=changed,
    )


def _copy(data: BinaryIO, target: pathlib.Path) -> tuple[int, str, str]:
    """Copy to a file; return size, MD5 (Glance's old ``checksum``) and SHA-512."""
    size = 0
    md5, sha512 = hashlib.md5(usedforsecurity=False), hashlib.sha512()
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        while chunk := data.read(CHUNK_BYTES):
            size += len(chunk)
            md5.update(chunk)
            sha512.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return size, md5.hexdigest(), sha512.hexdigest()


def _chunks(path: pathlib.Path, offset: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(offset)
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
