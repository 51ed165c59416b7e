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
_READ_BY_OTHERS = 20 * _SECTOR
"""Programs read so much text from where the descriptor begins, however short it says it is."""
_AT_END = (1 << 64) - 1
_KINDS = frozenset({"monolithicsparse", "streamoptimized"})
_EXTENT = re.compile(r'RW [0-9]{1,15} SPARSE "[^"/\\]*"')
_FIELD = re.compile(r"([A-Za-z][\w.]*)\s*=\s*(.*)")
_NO_PARENT = "ffffffff"


def virtual_bytes(file: BinaryIO) -> int:
    """Return the size of the disk inside; raises :class:`NotAcceptable` for every kind but two.

    The descriptor of a hostile VMDK names files of the host as its extents or its parent.
    """
    size = file.seek(0, io.SEEK_END)
    header = _header(file, 0)
    capacity, offset, sectors = header[3], header[5], header[6]
    if not capacity:
        # Programs then take the descriptor for the whole truth.
        raise NotAcceptable("it is a VMDK that keeps its data in other files")
    if not 0 < offset * _SECTOR < size or not 0 < sectors * _SECTOR <= _MAX_DESCRIPTOR:
        raise NotAcceptable("its VMDK descriptor is missing or too long")
    if header[9] == _AT_END:
        last = _header(file, size - 2 * _SECTOR) if size > 3 * _SECTOR else header
        if (last[3], last[5], last[6]) != (capacity, offset, sectors):
            raise NotAcceptable("its VMDK headers do not agree")
    file.seek(offset * _SECTOR)
    text = file.read(max(sectors * _SECTOR, _READ_BY_OTHERS)).split(b"\0", 1)[0]
    _judge_descriptor(text.decode("latin-1"))
    return int(capacity) * _SECTOR


def _header(file: BinaryIO, at: int) -> tuple[int, ...]:
    file.seek(at)
    head = file.read(_SPARSE.size)
    if len(head) < _SPARSE.size or head[:4] != b"KDMV":
        raise NotAcceptable("it is a VMDK that keeps its data in other files")
    return _SPARSE.unpack(head)


def _judge_descriptor(text: str) -> None:
    """Take only lines that can mean one thing: programs look for words anywhere, also in comments."""
    if "parentfilenamehint" in text.lower():
        raise NotAcceptable("it has a parent file")
    fields: dict[str, str] = {}
    extents = 0
    for line in map(str.strip, text.split("\n")):
        field = _FIELD.fullmatch(line)
        if not line or line.startswith("#"):
            continue
        if field is not None:
            name = field[1].lower()
            if name in fields:
                raise NotAcceptable("its VMDK descriptor says a thing twice")
            fields[name] = field[2].strip('" \t').lower()
        elif _EXTENT.fullmatch(line):
            extents += 1
        else:
            raise NotAcceptable("its VMDK descriptor names other files")
    if fields.get("createtype") not in _KINDS:
        raise NotAcceptable("it is of a kind of VMDK that is not accepted")
    if fields.get("parentcid", _NO_PARENT) != _NO_PARENT:
        raise NotAcceptable("it has a parent file")
    if extents != 1:
        raise NotAcceptable("its VMDK descriptor names other files")
