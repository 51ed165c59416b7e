"""Base images on this host: fetched once, verified, judged before anything opens them.

A file is named after its content (the store's hash of it, and how it is kept), so one that is there is right,
and two images with the same bytes share it.  Guests keep a hard link of their own, so a file may be dropped
at any time.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import shutil
import threading
from pathlib import Path

from nova import ids
from nova.clock import Clock
from nova.concurrency import in_native_thread
from nova.errors import Unavailable
from nova.errors.virt import HostFull, ImageUnusable
from nova.image.base import CHUNK_BYTES, ImageStore
from nova.objects.base import Value
from nova.objects.ids import ImageId
from nova.objects.image import Image
from nova.privsep import files
from nova.virt.disk import inspect
from nova.virt.libvirt.images.qemu_img import QemuImg

LOG = logging.getLogger(__name__)

FOLDER = "_base"
_TRIES = 3
_HASHES = frozenset({"sha512", "sha384", "sha256", "sha1", "md5", "blake2b", "blake2s"})
_PART_AGE_S = 86400.0


class Cached(Value, frozen=True, kw_only=True):
    """A base image that is here."""

    path: Path
    format: str
    """``raw`` or ``qcow2``."""


class ImageCache:
    """For many threads; one download of an image at a time, others wait for it."""

    def __init__(
        self,
        folder: Path,
        store: ImageStore,
        clock: Clock,
        *,
        raw: bool = True,
        max_bytes: int | None = None,
    ) -> None:
        self._folder = folder
        self._store = store
        self._clock = clock
        self._raw = raw
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._fetching: dict[str, threading.Event] = {}

    def fetch(
        self, image_id: ImageId, known: Image | None, host: str, *, most_bytes: int | None = None
    ) -> Cached:
        """Return the base file of an image, downloading it if it is not here.

        ``known`` are the facts the conductor had, ``most_bytes`` the size of the disk that it is for: a
        larger image is not even unpacked.  Raises ``ImageNotFound``, ``ImageUnusable``,
        ``Unavailable``, ``HostFull``.
        """
        image = known if known is not None and _hash(known) is not None else self._store.show(image_id)
        name = self._name(image)
        while True:
            cached = self._look(name)
            if cached is not None:
                return cached
            with self._lock:
                other = self._fetching.get(name)
                if other is None:
                    self._fetching[name] = threading.Event()
            if other is None:
                break
            other.wait()
        try:
            return self._look(name) or self._bring(image, name, host, most_bytes)
        finally:
            with self._lock:
                self._fetching.pop(name).set()

    def drop_unused(self, older_s: float) -> str | None:
        """Remove files that no guest has and nobody asked for in so long; return what was done."""
        dropped = 0
        if not self._folder.is_dir():
            return None
        now = self._clock.now().timestamp()
        for path in self._folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                facts = path.stat()
                age = now - facts.st_mtime
                unused = facts.st_nlink == 1 and age > older_s
                if (path.suffix == ".part" and age > _PART_AGE_S) or (path.suffix != ".part" and unused):
                    path.unlink()
                    dropped += 1
        return f"{dropped} files dropped" if dropped else None

    def _name(self, image: Image) -> str:
        found = _hash(image)
        # Without a hash the image's own id and age tell its content.
        content = ":".join(found) if found is not None else f"{image.id}:{image.updated_at}"
        words = f"{content}:{image.disk_format}:{self._raw}"
        return hashlib.sha256(words.encode()).hexdigest()[:40]

    def _look(self, name: str) -> Cached | None:
        for kind in ("raw", "qcow2"):
            path = self._folder / f"{name}.{kind}"
            with contextlib.suppress(FileNotFoundError):
                os.utime(path)
                return Cached(path=path, format=kind)
        return None

    def _bring(self, image: Image, name: str, host: str, most_bytes: int | None) -> Cached:
        """Download, verify, judge, convert; the file appears under its name at the very end."""
        files.make_private_directory(self._folder)
        self._require_room(image, host)
        part = self._folder / f"{name}.{ids.new_uuid()}.part"
        converted = part.with_suffix(".raw.part")
        limit = min(self._limits(most_bytes), default=None)
        try:
            self._download(image, part)
            in_native_thread(_verify, part, image)
            found = inspect.check(part, image.disk_format or "raw", limit, image=image.id)
            kind, ready = found.format, part
            if kind not in ("raw", "qcow2") or (kind == "qcow2" and self._raw):
                QemuImg(host=host).convert(part, kind, converted, "raw", size_bytes=found.virtual_bytes)
                inspect.check(converted, "raw", limit, image=image.id)
                kind, ready = "raw", converted
            ready.chmod(0o644)
            target = self._folder / f"{name}.{kind}"
            os.replace(ready, target)
            LOG.info("image %s is here as %s", image.id, target.name)
            return Cached(path=target, format=kind)
        finally:
            part.unlink(missing_ok=True)
            converted.unlink(missing_ok=True)

    def _limits(self, most_bytes: int | None) -> list[int]:
        return [limit for limit in (self._max_bytes, most_bytes) if limit]

    def _require_room(self, image: Image, host: str) -> None:
        needed = image.size_bytes
        if shutil.disk_usage(self._folder).free < needed:
            raise HostFull(host=host, resource="disk", reason=f"the image needs {needed} bytes")

    def _download(self, image: Image, part: Path) -> None:
        """Write the image's bytes to a file; a connection that broke goes on where it was."""
        with part.open("xb") as file:
            for number in range(1, _TRIES + 1):
                try:
                    for chunk in self._store.download(image.id, file.tell()):
                        file.write(chunk)
                        if image.size_bytes and file.tell() > image.size_bytes:
                            reason = "the image service sends more than it said"
                            raise ImageUnusable(image=image.id, reason=reason)
                    break
                except Unavailable:
                    if number == _TRIES:
                        raise
                    LOG.warning("the download of image %s broke off at byte %d", image.id, file.tell())
                    self._clock.sleep(float(number))
            file.flush()
            in_native_thread(os.fsync, file.fileno())


def _hash(image: Image) -> tuple[str, str] | None:
    if image.hash_algo in _HASHES and image.hash_value:
        return image.hash_algo, image.hash_value
    return ("md5", image.checksum) if image.checksum else None


def _verify(part: Path, image: Image) -> None:
    """Compare a file with what the store said of it (in a native thread: no logs, no locks)."""
    size = part.stat().st_size
    if image.size_bytes and size != image.size_bytes:
        raise Unavailable(part="the image service") from OSError(f"{size} bytes came")
    found = _hash(image)
    if found is None:
        return
    digest = hashlib.new(found[0], usedforsecurity=False)
    with part.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    if digest.hexdigest() != found[1]:
        raise ImageUnusable(image=image.id, reason="what was downloaded is not what the image service named")
