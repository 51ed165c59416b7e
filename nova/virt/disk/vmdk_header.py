"""The header of a VMDK file: only the kinds that keep everything in the one file are acceptable."""

from __future__ import annotations

import io
import re
import struct
from typing import BinaryIO

from nova.virt.disk.qcow2_header import NotAcceptable

_SPARSE = struct.Struct("<4sIIQQQQIQQQ")
_SECTOR = 512
_MAX_DESCRIPTOR = 64 << 10
_KINDS = frozenset({"monolithicsparse", "streamoptimized"})
_EXTENT = re.compile(rb'^\s*(RW|RDONLY|NOACCESS)\s+(\d+)\s+(\S+)(?:\s+"([^"]*)")?(.*)$')
_NO_PARENT = "ffffffff"


def virtual_bytes(file: BinaryIO) -> int:
    """Return the size of the disk inside; raises :class:`NotAcceptable` for every kind but two.

    The descriptor of a hostile VMDK names files of the host as its extents or its parent.
    """
    file.seek(0)
    head = file.read(_SPARSE.size)
    if len(head) < _SPARSE.size or head[:4] != b"KDMV":
        raise NotAcceptable("it is a VMDK that keeps its data in other files")
    _, _version, _flags, capacity, _grain, offset, sectors, *_ = _SPARSE.unpack(head)
    size = file.seek(0, io.SEEK_END)
    if not 0 < offset * _SECTOR < size or not 0 < sectors * _SECTOR <= _MAX_DESCRIPTOR:
        raise NotAcceptable("its VMDK descriptor is missing or too long")
    file.seek(offset * _SECTOR)
    _judge_descriptor(file.read(sectors * _SECTOR).split(b"\0", 1)[0])
    return int(capacity) * _SECTOR


def _judge_descriptor(text: bytes) -> None:
    fields, extents = {}, []
    for line in text.splitlines():
        if found := _EXTENT.match(line):
            extents.append(found)
        elif b"=" in line and not line.lstrip().startswith(b"#"):
            key, value = line.split(b"=", 1)
            fields[key.strip().lower().decode("latin-1")] = value.strip(b' \t\r"').lower().decode("latin-1")
    if fields.get("createtype") not in _KINDS:
        raise NotAcceptable("it is of a kind of VMDK that is not accepted")
    if fields.get("parentcid", _NO_PARENT) != _NO_PARENT or "parentfilenamehint" in fields:
        raise NotAcceptable("it has a parent file")
    if len(extents) != 1 or extents[0][3].upper() != b"SPARSE" or b"/" in (extents[0][4] or b""):
        raise NotAcceptable("its VMDK descriptor names other files")
