"""Which formats a file could be taken for, told by its magic bytes alone.

More than one answer means a polyglot: bytes that one program reads as this and another as that.
"""

from __future__ import annotations

import io
import struct
from typing import BinaryIO

# (offset, magic, format); offsets as in each format's specification.
_MAGICS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"QFI\xfb", "qcow2"),
    (0, b"QED\0", "qed"),
    (0, b"KDMV", "vmdk"),
    (0, b"COWD", "vmdk"),
    (0, b"conectix", "vhd"),
    (0, b"vhdxfile", "vhdx"),
    (0x40, b"\x7f\x10\xda\xbe", "vdi"),
    (0, b"LUKS\xba\xbe", "luks"),
    (0, b"WithoutFreeSpace", "parallels"),
    (0, b"WithouFreSpacExt", "parallels"),
    (0, b"Bochs Virtual HD Image", "bochs"),
    (0, b"#!/bin/sh\n#V2.0 Format\nmodprobe cloop", "cloop"),
    (0, b"OOOM", "cow"),
    (0x8001, b"CD001", "iso"),
    (0x8801, b"CD001", "iso"),
    (0x9001, b"CD001", "iso"),
    (0x8001, b"NSR02", "iso"),
    (0x8001, b"NSR03", "iso"),
    (0x8801, b"NSR02", "iso"),
    (0x8801, b"NSR03", "iso"),
    (0x9001, b"NSR02", "iso"),
    (0x9001, b"NSR03", "iso"),
    (0x200, b"EFI PART", "gpt"),
    (0x1000, b"EFI PART", "gpt"),
)
_HEAD_BYTES = 0x9001 + 16
_DESCRIPTOR_BYTES = 20 * 512


def detect(file: BinaryIO) -> frozenset[str]:
    """Return every format whose signature the file carries.

    ``gpt`` and ``mbr`` are partition tables, which plain disks have; an empty answer is plain bytes.
    """
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    found = {name for offset, magic, name in _MAGICS if head[offset : offset + len(magic)] == magic}
    if _is_text_vmdk(head):
        found.add("vmdk")
    if _has_boot_record(head):
        found.add("mbr")
    if "qcow2" in found and len(head) >= 8 and struct.unpack(">I", head[4:8])[0] == 1:
        found = (found - {"qcow2"}) | {"qcow"}
    if _ends_with(file, b"koly"):
        found.add("dmg")
    if _ends_with(file, b"conectix"):
        found.add("vhd-footer")
    return frozenset(found)


def _is_text_vmdk(head: bytes) -> bool:
    """Say whether QEMU's VMDK driver would take this for a descriptor: comments, then ``version=``."""
    for line in head[:_DESCRIPTOR_BYTES].split(b"\n"):
        text = line.strip(b" \r\0\t").lower()
        if text.startswith(b"# disk descriptorfile"):
            return True
        if not text or text.startswith(b"#"):
            continue
        return text.startswith((b"version=", b"createtype="))
    return False


def _has_boot_record(head: bytes) -> bool:
    return len(head) >= 512 and head[510:512] == b"\x55\xaa"


def _ends_with(file: BinaryIO, magic: bytes) -> bool:
    size = file.seek(0, io.SEEK_END)
    if size < 1024:
        return False
    file.seek(size - 512)
    return file.read(len(magic)) == magic
