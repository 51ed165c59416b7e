"""The header of a QCOW2 file, read strictly (QEMU's ``docs/interop/qcow2.txt``)."""

from __future__ import annotations

import struct
from typing import BinaryIO

from nova.objects.base import Value

MAGIC = b"QFI\xfb"
_V2 = struct.Struct(">4sIQIIQIIQQIIQ")
_V3 = struct.Struct(">QQQII")

DIRTY, CORRUPT, DATA_FILE, COMPRESSION, EXTENDED_L2 = 1, 2, 4, 8, 16
_KNOWN_INCOMPATIBLE = DIRTY | CORRUPT | DATA_FILE | COMPRESSION | EXTENDED_L2

_EXTENSION_END = 0
_EXTENSION_BACKING_FORMAT = 0xE2792ACA
_EXTENSION_DATA_FILE = 0x44415441
_EXTENSION_CRYPTO = 0x0537BE77
_MAX_L1_BYTES = 32 << 20
_MAX_REFCOUNT_BYTES = 8 << 20
_MAX_REFCOUNT_ORDER = 6
_MAX_SNAPSHOTS = 128


class NotAcceptable(Exception):
    """The file breaks the format, or uses a part of it that must not come from outside."""


class Header(Value, frozen=True, kw_only=True):
    """What the header says."""

    version: int
    virtual_bytes: int
    cluster_bits: int
    backing_offset: int
    crypt_method: int
    incompatible: int
    l1_entries: int
    l1_offset: int
    refcount_offset: int
    refcount_clusters: int
    refcount_order: int
    snapshots: int
    extensions: tuple[int, ...]


def read(file: BinaryIO) -> Header:
    """Read and decode; raises :class:`NotAcceptable` when it is no whole header."""
    file.seek(0)
    data = file.read(64 << 10)
    if len(data) < _V2.size or data[:4] != MAGIC:
        raise NotAcceptable("it has no QCOW2 header")
    (_, version, backing_offset, _, cluster_bits, size, crypt, l1_entries, l1_offset,
     refcount_offset, refcount_clusters, snapshots, _) = _V2.unpack_from(data)  # fmt: skip
    incompatible, order, length = 0, 4, _V2.size
    if version == 3:
        if len(data) < _V2.size + _V3.size:
            raise NotAcceptable("its header is cut short")
        incompatible, _, _, order, length = _V3.unpack_from(data, _V2.size)
        if length < _V2.size + _V3.size or length > len(data):
            raise NotAcceptable("its header has an impossible length")
    elif version != 2:
        raise NotAcceptable(f"QCOW2 version {version} is not known")
    return Header(
        version=version,
        virtual_bytes=size,
        cluster_bits=cluster_bits,
        backing_offset=backing_offset,
        crypt_method=crypt,
        incompatible=incompatible,
        l1_entries=l1_entries,
        l1_offset=l1_offset,
        refcount_offset=refcount_offset,
        refcount_clusters=refcount_clusters,
        refcount_order=order,
        snapshots=snapshots,
        extensions=_extensions(data, length, 1 << min(cluster_bits, 21)),
    )


def _extensions(data: bytes, offset: int, end: int) -> tuple[int, ...]:
    """Return the kinds of header extensions up to the end mark; one that we cannot see hides another."""
    found = []
    while offset + 8 <= min(end, len(data)):
        kind, length = struct.unpack_from(">II", data, offset)
        if kind == _EXTENSION_END:
            break
        found.append(kind)
        offset += 8 + (length + 7) // 8 * 8
        if offset > len(data):
            raise NotAcceptable("its header is too long")
    return tuple(found)


def judge(header: Header, file_bytes: int) -> None:
    """Raise :class:`NotAcceptable` for everything that could lead out of the file or harm its readers."""
    if header.backing_offset or _EXTENSION_BACKING_FORMAT in header.extensions:
        raise NotAcceptable("it has a backing file")
    if header.incompatible & DATA_FILE or _EXTENSION_DATA_FILE in header.extensions:
        raise NotAcceptable("it keeps its data in another file")
    if header.incompatible & CORRUPT:
        raise NotAcceptable("it is marked as corrupt")
    if header.incompatible & ~_KNOWN_INCOMPATIBLE:
        raise NotAcceptable("it uses features that are not known")
    if header.crypt_method or _EXTENSION_CRYPTO in header.extensions:
        raise NotAcceptable("it is encrypted")
    if not 9 <= header.cluster_bits <= 21:
        raise NotAcceptable("its cluster size is impossible")
    if header.snapshots > _MAX_SNAPSHOTS:
        raise NotAcceptable("it has too many internal snapshots")
    _judge_mapping(header, file_bytes)
    _judge_counts(header, file_bytes)


def _judge_counts(header: Header, file_bytes: int) -> None:
    """Check the table that counts uses of clusters: of a possible size, inside the file."""
    cluster = 1 << header.cluster_bits
    if header.refcount_order > _MAX_REFCOUNT_ORDER:
        raise NotAcceptable("its reference counts are of an impossible size")
    if not 0 < header.refcount_clusters * cluster <= max(_MAX_REFCOUNT_BYTES, cluster):
        raise NotAcceptable("its reference table has an impossible size")
    if header.refcount_offset % cluster or not 0 < header.refcount_offset < file_bytes:
        raise NotAcceptable("its reference table lies outside of the file")


def _judge_mapping(header: Header, file_bytes: int) -> None:
    """Check the first-level table: right size for the disk, inside the file."""
    entry = 16 if header.incompatible & EXTENDED_L2 else 8
    per_table = (1 << header.cluster_bits) // entry
    needed = -(-header.virtual_bytes // (per_table << header.cluster_bits))
    if header.l1_entries < needed or header.l1_entries * 8 > _MAX_L1_BYTES:
        raise NotAcceptable("its mapping table has an impossible size")
    if header.l1_offset % (1 << header.cluster_bits) or header.l1_offset > file_bytes:
        raise NotAcceptable("its mapping table lies outside of the file")
