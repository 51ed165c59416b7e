"""The root disk: a copy-on-write overlay on the cached image, or a full copy of it."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from nova.errors.virt import HostFull, ImageUnusable
from nova.objects.base import Value
from nova.privsep import files
from nova.virt.disk import inspect
from nova.virt.libvirt.images.qemu_img import QemuImg

GIB = 1 << 30


class Source(Value, frozen=True, kw_only=True):
    """The cached image a disk starts from."""

    path: Path
    format: str
    """As the agent pinned it: ``raw``, ``qcow2`` or ``iso``."""
    image_id: str


class Made(Value, frozen=True, kw_only=True):
    """A disk file that is ready."""

    format: str
    virtual_bytes: int


def make_root(program: QemuImg, source: Source, target: Path, *, size_gb: int, images_type: str) -> Made:
    """Make a root disk of ``size_gb`` (0: as large as the image).

    The image is judged again here, whoever brought it.  Raises ``ImageUnusable``, also when the image is
    larger than the flavor allows, and ``HostFull``.
    """
    limit = size_gb * GIB or None
    found = inspect.check(source.path, source.format, limit, image=source.image_id)
    if found.format not in ("raw", "qcow2"):
        raise ImageUnusable(image=source.image_id, reason=f"guests cannot run from {source.format}")
    size = limit or found.virtual_bytes
    if source.format == "iso":
        _copy(program, source.path, target, found.virtual_bytes)
        return Made(format="raw", virtual_bytes=found.virtual_bytes)
    if images_type == "raw":
        _require_room(program, target.parent, size)
        program.convert(source.path, found.format, target, "raw", size_bytes=found.virtual_bytes)
        if size > found.virtual_bytes:
            program.resize(target, "raw", size)
        target.chmod(0o600)
        return Made(format="raw", virtual_bytes=size)
    base = _keep(source.path, target.parent / "base")
    program.create_overlay(target, size, base=base, base_format=found.format)
    target.chmod(0o600)
    return Made(format="qcow2", virtual_bytes=size)


def _keep(cached: Path, own: Path) -> Path:
    """Give the guest a name of its own for the cached file.

    With a hard link the cache may drop an image at any time: the bytes live as long as a guest needs
    them.  On another file system the cached file itself must stay.
    """
    try:
        os.link(cached, own)
    except FileExistsError:
        return own
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK):
            raise
        return cached
    return own


def _copy(program: QemuImg, source: Path, target: Path, size: int) -> None:
    _require_room(program, target.parent, size)
    files.copy(source, target)
    target.chmod(0o600)


def _require_room(program: QemuImg, directory: Path, size: int) -> None:
    if shutil.disk_usage(directory).free < size:
        reason = f"{size // GIB + 1} GiB are needed"
        raise HostFull(host=program.host, resource="disk", reason=reason)
