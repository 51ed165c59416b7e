"""The smallest disks that real tools accept, for snapshots of guests that have none."""

from __future__ import annotations

import struct

_CLUSTER_BITS = 9
_CLUSTER = 1 << _CLUSTER_BITS
_VIRTUAL_BYTES = 64 * 1024


def disk_image(disk_format: str, label: bytes) -> bytes:
    """Return an empty disk of 64 KiB; as ``raw`` (and anything but ``qcow2``) it begins with ``label``."""
    if disk_format == "qcow2":
        return _empty_qcow2()
    return label[:_CLUSTER].ljust(_VIRTUAL_BYTES, b"\0")


def _empty_qcow2() -> bytes:
    """Return a version 2 file: header, refcount table, refcount block, L1 table, a cluster each.

    Layout as in QEMU's ``docs/interop/qcow2.txt``; all numbers big-endian.
    """
    l2_covers = (_CLUSTER // 8) * _CLUSTER
    l1_entries = -(-_VIRTUAL_BYTES // l2_covers)
    header = struct.pack(
        ">4sIQIIQIIQQIIQ",
        b"QFI\xfb",
        2,
        0,  # no backing file: offset
        0,  # and size
        _CLUSTER_BITS,
        _VIRTUAL_BYTES,
        0,  # not encrypted
        l1_entries,
        3 * _CLUSTER,
        _CLUSTER,
        1,  # clusters of the refcount table
        0,  # snapshots
        0,
    )
    refcount_table = struct.pack(">Q", 2 * _CLUSTER)
    refcount_block = struct.pack(">4H", 1, 1, 1, 1)
    l1_table = b""
    return b"".join(
        part.ljust(_CLUSTER, b"\0") for part in (header, refcount_table, refcount_block, l1_table)
    )
