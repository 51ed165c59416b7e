"""Judging an image file before any other program opens it.

Images come from users and are never trusted.  The declared format is pinned by the image store; a file
that carries the signature of another one is refused, so nobody ever has to guess.  What is refused besides
(by advisory class): backing files and external data files (qcow2), descriptors that name files of the host
(vmdk), differencing disks (vhd, vhdx, vdi), disks larger than allowed, polyglots.

Reads a few kilobytes whatever the size of the file; opens no other file; follows no link.
"""

from __future__ import annotations

import io
import os
import stat
import struct
from pathlib import Path
from typing import BinaryIO

from nova.errors.virt import ImageUnusable
from nova.objects.base import Value
from nova.virt.disk import qcow2_header, signatures, vmdk_header
from nova.virt.disk.qcow2_header import NotAcceptable

PLAIN = frozenset({"raw", "ami"})
"""Declared formats that are plain bytes of a disk."""
PARTS = frozenset({"aki", "ari"})
"""Kernels and ramdisks: read by a boot loader, never opened as disks."""
_TABLES = frozenset({"gpt", "mbr"})
_OTHER_NAMES = {"vpc": "vhd"}


class Inspected(Value, frozen=True, kw_only=True):
    """What a file turned out to be."""

    format: str
    """As programs call it: ``raw`` (ISO images too), ``qcow2``, ``vmdk``, ``vpc`` or ``vdi``."""
    virtual_bytes: int
    """Size of the disk as a guest would see it."""
    file_bytes: int


def check(
    path: Path,
    declared_format: str,
    max_virtual_bytes: int | None = None,
    *,
    image: str | None = None,
) -> Inspected:
    """Return what an image file is if it may be used, whatever its maker wanted.

    ``declared_format`` is Glance's ``disk_format``.  Raises ``errors.virt.ImageUnusable`` with a sentence
    for the image's owner (``image`` names it there, else the file's name does).
    """
    name = image or path.name
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise ImageUnusable(image=name, reason=f"its file cannot be read ({error.strerror})") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ImageUnusable(image=name, reason="it is not a plain file")
    with os.fdopen(descriptor, "rb") as file:
        try:
            found = _judge(file, declared_format)
        except (NotAcceptable, struct.error, OSError) as error:
            reason = str(error) if isinstance(error, NotAcceptable) else "it cannot be read to its end"
            raise ImageUnusable(image=name, reason=reason) from None
    if max_virtual_bytes is not None and found.virtual_bytes > max_virtual_bytes:
        reason = f"its disk has {found.virtual_bytes} bytes, more than the {max_virtual_bytes} allowed here"
        raise ImageUnusable(image=name, reason=reason)
    return found


def _judge(file: BinaryIO, declared: str) -> Inspected:
    wanted = _OTHER_NAMES.get(declared, declared)
    size = file.seek(0, io.SEEK_END)
    if wanted in PARTS:
        return Inspected(format="raw", virtual_bytes=size, file_bytes=size)
    _judge_signatures(signatures.detect(file), wanted)
    if wanted in PLAIN or wanted == "iso":
        return Inspected(format="raw", virtual_bytes=size, file_bytes=size)
    if wanted == "qcow2":
        header = qcow2_header.read(file)
        qcow2_header.judge(header, size)
        return Inspected(format="qcow2", virtual_bytes=header.virtual_bytes, file_bytes=size)
    if wanted == "vmdk":
        return Inspected(format="vmdk", virtual_bytes=vmdk_header.virtual_bytes(file), file_bytes=size)
    if wanted == "vhd":
        return Inspected(format="vpc", virtual_bytes=_vhd_bytes(file, size), file_bytes=size)
    if wanted == "vdi":
        return Inspected(format="vdi", virtual_bytes=_vdi_bytes(file), file_bytes=size)
    raise NotAcceptable(f"the disk format {declared} is not accepted here")


def _judge_signatures(found: frozenset[str], wanted: str) -> None:
    """Refuse a file that something could take for another format than the one declared."""
    allowed = {"raw": _TABLES, "ami": _TABLES, "iso": _TABLES | {"iso"}}.get(wanted, frozenset({wanted}))
    if wanted == "vhd":
        allowed = frozenset({"vhd", "vhd-footer"}) | _TABLES
    others = found - allowed
    if wanted in PLAIN or wanted == "iso":
        # The footer of a fixed VHD is data of a plain disk: nothing looks for it there.
        others -= {"vhd-footer"}
    if others:
        raise NotAcceptable(f"it is declared as {wanted} but looks like {', '.join(sorted(others))}")
    needed = {"iso": {"iso"}, "vhd": {"vhd", "vhd-footer"}}.get(wanted, {wanted})
    if wanted not in PLAIN and not found & needed:
        raise NotAcceptable(f"it is declared as {wanted} but is no such file")


_VHD_FIXED, _VHD_DYNAMIC = 2, 3
_VHD_LARGEST = (65535, 16, 255)
_VHD_EXACT = frozenset({b"win ", b"qem2", b"d2v ", b"tap\0"})
"""Creators whose sizes are exact."""


def _vhd_bytes(file: BinaryIO, size: int) -> int:
    """Read the footer of a VHD (its last 512 bytes, in dynamic ones also the first): size and disk type."""
    file.seek(max(0, size - 512))
    footer = file.read(512)
    if len(footer) < 512 or footer[:8] != b"conectix":
        raise NotAcceptable("its VHD footer is missing")
    kind = struct.unpack_from(">I", footer, 60)[0]
    if kind not in (_VHD_FIXED, _VHD_DYNAMIC):
        raise NotAcceptable("it is a VHD with a parent")
    file.seek(0)
    head = file.read(512)
    # Programs go by the one at the beginning if there is one.
    if (kind == _VHD_DYNAMIC or head[:8] == b"conectix") and head != footer:
        raise NotAcceptable("its VHD footers do not agree")
    current: int = struct.unpack_from(">Q", footer, 48)[0]
    geometry: tuple[int, int, int] = struct.unpack_from(">HBB", footer, 56)
    if geometry == _VHD_LARGEST or footer[28:32] in _VHD_EXACT:
        return current
    # Programs go by the geometry of files that others have written.
    return max(current, geometry[0] * geometry[1] * geometry[2] * 512)


_VDI_DYNAMIC, _VDI_STATIC = 1, 2


def _vdi_bytes(file: BinaryIO) -> int:
    """Read the header of a VDI 1.1: image type at 0x4c, disk size at 0x170."""
    file.seek(0)
    header = file.read(512)
    if len(header) < 512:
        raise NotAcceptable("its VDI header is cut short")
    if struct.unpack_from("<I", header, 0x4C)[0] not in (_VDI_DYNAMIC, _VDI_STATIC):
        raise NotAcceptable("it is a VDI with a parent")
    size: int = struct.unpack_from("<Q", header, 0x170)[0]
    return size
