"""A generator of image files that want something: a file of the host, another project's disk, memory, time.

``corpus`` writes them one after the other; each says what an image service would be told that it is.
"""

from __future__ import annotations

import struct
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

MIB = 1 << 20
SECTOR = 512
QCOW2_FIELDS = {
    "version": (4, ">I"),
    "backing_offset": (8, ">Q"),
    "backing_size": (16, ">I"),
    "cluster_bits": (20, ">I"),
    "size": (24, ">Q"),
    "crypt": (32, ">I"),
    "l1_size": (36, ">I"),
    "l1_offset": (40, ">Q"),
    "refcount_offset": (48, ">Q"),
    "refcount_clusters": (56, ">I"),
    "snapshots": (60, ">I"),
    "snapshots_offset": (64, ">Q"),
    "incompatible": (72, ">Q"),
    "compatible": (80, ">Q"),
    "autoclear": (88, ">Q"),
    "refcount_order": (96, ">I"),
    "header_length": (100, ">I"),
}
SPARSE = struct.Struct("<4sIIQQQQIQQQ")
AT_END = (1 << 64) - 1


class Crafted(NamedTuple):
    """One file and what its owner says it is."""

    name: str
    declared: str
    path: Path


class Forge:
    """Writes files into a folder.

    ``secrets`` are names of what must not be read, as an attacker knows them: plain bytes, a VMDK, others.
    """

    def __init__(self, folder: Path, secrets: tuple[str, ...]) -> None:
        self.folder = folder
        self.secrets = secrets
        self._bases: dict[str, bytes] = {}

    def base(self, disk_format: str, *options: str) -> bytearray:
        """Return the bytes of an honest image of 1 MiB that ``qemu-img`` made."""
        key = f"{disk_format} {options}"
        if key not in self._bases:
            path = self.folder / "honest"
            argv = ["qemu-img", "create", "-q", "-f", disk_format, *options, str(path), str(MIB)]
            subprocess.run(argv, check=True, timeout=60)
            self._bases[key] = path.read_bytes()
            path.unlink()
        return bytearray(self._bases[key])

    def write(self, name: str, declared: str, data: bytes) -> Crafted:
        path = self.folder / name.replace("/", "_").replace(" ", "-")
        path.write_bytes(data)
        return Crafted(name, declared, path)


def corpus(forge: Forge) -> Iterator[Crafted]:
    """Write every file, one after the other."""
    for kind in (
        _qcow2_names,
        _qcow2_fields,
        _qcow2_bits,
        _qcow2_tables,
        _vmdk_texts,
        _vmdk_headers,
        _vmdk_descriptors,
        _others,
        _polyglots,
        _truncated,
    ):
        yield from kind(forge)


def qcow2(data: bytearray, **fields: int) -> bytearray:
    """Set fields of a QCOW2 header."""
    for name, value in fields.items():
        offset, form = QCOW2_FIELDS[name]
        struct.pack_into(form, data, offset, value)
    return data


def _qcow2_names(forge: Forge) -> Iterator[Crafted]:
    """Backing files and data files by every way to name them."""
    for compat in ("0.10", "1.1"):
        for number, secret in enumerate(forge.secrets):
            data = forge.base("qcow2", "-o", f"compat={compat}")
            name = secret.encode()
            data[512 : 512 + len(name)] = name
            backed = qcow2(data, backing_offset=512, backing_size=len(name))
            yield forge.write(f"backing {compat} {number}", "qcow2", bytes(backed))
            yield forge.write(f"backing {compat} {number} called raw", "raw", bytes(backed))
    for number, secret in enumerate(forge.secrets):
        for flagged in (0, 4):
            data = qcow2(forge.base("qcow2"), incompatible=flagged)
            put_extension(data, 0x44415441, secret.encode())
            yield forge.write(f"data file {number} bit {flagged}", "qcow2", bytes(data))
    for format_name in (b"raw", b"qcow2", b"vmdk", b"json:"):
        data = forge.base("qcow2")
        put_extension(data, 0xE2792ACA, format_name)
        yield forge.write(f"backing format {format_name.decode()}", "qcow2", bytes(data))
    long = forge.base("qcow2", "-o", "cluster_size=2M")
    first = struct.unpack_from(">I", long, 100)[0]
    struct.pack_into(">II", long, first, 0x12345678, 70_000)
    struct.pack_into(">II", long, first + 8 + 70_000, 0x0537BE77, 16)
    yield forge.write("an extension behind a long one", "qcow2", bytes(long))
    own = forge.base("qcow2")
    name = b"a-loop"
    own[512 : 512 + len(name)] = name
    yield forge.write("a loop", "qcow2", bytes(qcow2(own, backing_offset=512, backing_size=len(name))))


def put_extension(data: bytearray, kind: int, content: bytes) -> None:
    """Put a header extension first."""
    at = struct.unpack_from(">I", data, 100)[0]
    padded = content.ljust(-(-len(content) // 8) * 8, b"\0")
    extension = struct.pack(">II", kind, len(content)) + padded + bytes(8)
    data[at : at + len(extension)] = extension


def _qcow2_fields(forge: Forge) -> Iterator[Crafted]:
    odd = {
        "version": (0, 1, 4, 99),
        "backing_offset": (1, 1 << 40, (1 << 64) - 1),
        "cluster_bits": (0, 8, 22, 31, 63, 255),
        "size": (1 << 40, 1 << 50, 1 << 62, (1 << 64) - 1),
        "crypt": (1, 2, 3, 99),
        "l1_size": (0, 1 << 23, 1 << 31, (1 << 32) - 1),
        "l1_offset": (1, 1 << 20, 1 << 62, (1 << 64) - 1),
        "refcount_offset": (0, 1, 1 << 62, (1 << 64) - 1),
        "refcount_clusters": (0, 1 << 20, (1 << 32) - 1),
        "snapshots": (1, 65536, (1 << 32) - 1),
        "refcount_order": (7, 63, (1 << 32) - 1),
        "header_length": (0, 71, 103, 1 << 16, (1 << 32) - 1),
    }
    for field, values in odd.items():
        for value in values:
            yield forge.write(
                f"qcow2 {field} {value:x}", "qcow2", bytes(qcow2(forge.base("qcow2"), **{field: value}))
            )
    for field in ("size", "l1_size", "crypt", "snapshots"):
        data = forge.base("qcow2", "-o", "compat=0.10")
        yield forge.write(f"qcow2 v2 {field}", "qcow2", bytes(qcow2(data, **{field: odd[field][-1]})))


def _qcow2_bits(forge: Forge) -> Iterator[Crafted]:
    for bit in range(64):
        yield forge.write(
            f"qcow2 bit {bit}", "qcow2", bytes(qcow2(forge.base("qcow2"), incompatible=1 << bit))
        )


def _qcow2_tables(forge: Forge) -> Iterator[Crafted]:
    """Tables that lead in circles, and compressed bombs: many clusters that are one."""
    data = forge.base("qcow2")
    l1 = struct.unpack_from(">Q", data, 40)[0]
    for name, entry in (("itself", l1), ("the header", 0), ("behind the end", 1 << 55), ("odd", l1 + 1)):
        bent = bytearray(data)
        struct.pack_into(">Q", bent, l1, entry | 1 << 63)
        yield forge.write(f"first table to {name}", "qcow2", bytes(bent))
    yield forge.write("bomb", "qcow2", bomb(forge, 256 * MIB))
    yield forge.write("bomb of a terabyte", "qcow2", bomb(forge, 1 << 41))


def bomb(forge: Forge, size: int) -> bytes:
    """Return a small QCOW2 of which every cluster holds the same compressed bytes."""
    cluster, head = 1 << 16, forge.base("qcow2")
    per_table, clusters = cluster // 8, -(-size // (1 << 16))
    tables = min(-(-clusters // per_table), 64)
    l1_entries = -(-clusters // per_table)
    l1_bytes = -(-l1_entries * 8 // cluster) * cluster
    l1_at = len(head) + (-len(head)) % cluster
    l2_at = l1_at + l1_bytes
    packed_at = l2_at + cluster
    packer = zlib.compressobj(9, zlib.DEFLATED, -12)
    packed = packer.compress(b"B" * cluster) + packer.flush()
    sectors = -(-((packed_at % SECTOR) + len(packed)) // SECTOR) - 1
    entry = 1 << 62 | sectors << 54 | packed_at
    data = bytearray(qcow2(head, size=size, l1_size=l1_entries, l1_offset=l1_at)).ljust(l1_at, b"\0")
    data += struct.pack(">Q", l2_at | 1 << 63) * l1_entries + bytes(l1_bytes - l1_entries * 8)
    data += struct.pack(">Q", entry) * per_table + packed.ljust(cluster, b"\0")
    assert tables
    return bytes(data)


def descriptor(*lines: str, kind: str = "monolithicSparse", parent: str = "ffffffff") -> bytes:
    """Return the text part of a VMDK."""
    head = (
        "# Disk DescriptorFile",
        "version=1",
        "CID=12345678",
        f"parentCID={parent}",
        f'createType="{kind}"',
    )
    return "\n".join((*head, *lines, "")).encode()


def _vmdk_texts(forge: Forge) -> Iterator[Crafted]:
    """Descriptors alone, that name files of the host, and how to hide that they are ones."""
    for number, secret in enumerate(forge.secrets):
        for kind, extent in (
            ("monolithicFlat", "FLAT"),
            ("vmfs", "VMFS"),
            ("vmfsSparse", "VMFSSPARSE"),
            ("monolithicSparse", "SPARSE"),
            ("twoGbMaxExtentFlat", "FLAT"),
        ):
            text = descriptor(f'RW 2048 {extent} "{secret}" 0', kind=kind)
            for declared in ("vmdk", "raw"):
                yield forge.write(f"vmdk {kind} {number} as {declared}", declared, text.ljust(4096, b"\0"))
    flat = descriptor(f'RW 2048 FLAT "{forge.secrets[0]}" 0', kind="monolithicFlat")
    for name, before in (
        ("lines", b"\n" * 2000),
        ("blanks", b" " * 500 + b"\n"),
        ("comments", b"# x\n" * 900),
        ("returns", b"\r\n" * 100),
        ("a gap", b"\n\0\n"),
    ):
        for declared in ("vmdk", "raw", "iso"):
            yield forge.write(f"vmdk after {name} as {declared}", declared, before + flat)
    yield forge.write("vmdk of bare keys", "raw", flat.removeprefix(b"# Disk DescriptorFile\n"))
    yield forge.write("vmdk in capitals", "raw", flat.replace(b"# Disk", b"# DISK"))


def _sparse(forge: Forge, text: bytes, **fields: int) -> bytes:
    """Return a sparse VMDK with another descriptor; fields are those of its header."""
    data = forge.base("vmdk")
    names = (
        "magic",
        "version",
        "flags",
        "capacity",
        "grain",
        "offset",
        "sectors",
        "gtes",
        "rgd",
        "gd",
        "overhead",
    )
    header = dict(zip(names, SPARSE.unpack_from(data), strict=True)) | fields
    SPARSE.pack_into(data, 0, *header.values())
    at = SPARSE.unpack_from(bytes(forge.base("vmdk")))[5] * SECTOR
    data[at : at + 20 * SECTOR] = text.ljust(20 * SECTOR, b"\0")
    return bytes(data)


def _vmdk_headers(forge: Forge) -> Iterator[Crafted]:
    good = descriptor('RW 2048 SPARSE "x.vmdk"')
    for name, fields in {
        "no capacity": {"capacity": 0},
        "huge": {"capacity": 1 << 52},
        "all": {"capacity": AT_END},
        "no descriptor": {"offset": 0},
        "far descriptor": {"offset": 1 << 40},
        "long descriptor": {"sectors": 1 << 40},
        "short descriptor": {"sectors": 1},
        "no grain": {"grain": 0},
        "huge grain": {"grain": 1 << 40},
        "no entries": {"gtes": 0},
        "many entries": {"gtes": 1 << 31},
        "far table": {"gd": 1 << 50},
        "table at the end": {"gd": AT_END},
        "version 9": {"version": 9},
        "flags": {"flags": 0xFFFFFFFF},
        "compressed": {"flags": 1 << 16 | 1 << 17},
    }.items():
        yield forge.write(f"vmdk header {name}", "vmdk", _sparse(forge, good, **fields))
    hidden = descriptor(
        f'RW 2048 FLAT "{forge.secrets[0]}" 0',
        f'# parentFileNameHint="{forge.secrets[1]}"',
        kind="monolithicFlat",
    )
    yield forge.write("vmdk that is only its text", "vmdk", _sparse(forge, hidden, capacity=0))
    yield from _vmdk_footers(forge, hidden)


def _vmdk_footers(forge: Forge, hidden: bytes) -> Iterator[Crafted]:
    """Files whose last header says something else than the first one."""
    stream = forge.base("vmdk", "-o", "subformat=streamOptimized")
    for name, changes in {"capacity": (12, 1 << 40), "no capacity": (12, 0), "descriptor": (28, 0)}.items():
        data = bytearray(stream)
        struct.pack_into("<Q", data, 56, AT_END)
        footer = bytearray(data[:SECTOR])
        where = len(data) // SECTOR if name == "descriptor" else changes[1]
        struct.pack_into("<Q", footer, changes[0], where)
        mark = struct.pack("<QII", 1, 0, 3).ljust(SECTOR, b"\0")
        data += hidden.ljust(20 * SECTOR, b"\0") + mark + footer + bytes(SECTOR)
        yield forge.write(f"vmdk footer {name}", "vmdk", bytes(data))


def _vmdk_descriptors(forge: Forge) -> Iterator[Crafted]:
    """Names of files hidden in the text of an otherwise whole sparse VMDK."""
    own, secret = 'RW 2048 SPARSE "x.vmdk"', forge.secrets[1]
    for name, lines in {
        "a parent": (own, f'parentFileNameHint="{secret}"'),
        "a parent in a comment": (own, f'# parentFileNameHint="{secret}"'),
        "a parent in a value": (own, f'x="parentFileNameHint="{secret}"'),
        "a parent in capitals": (own, f'PARENTFILENAMEHINT="{secret}"'),
        "a parent of two lines": (own, "parentCID=00000001", f'parentFileNameHint="{secret}"'),
        "two extents": (own, f'RW 2048 FLAT "{secret}" 0'),
        "a signed extent": (own, f'RW +2048 FLAT "{secret}" 0'),
        "an extent of several lines": (own, f'RW\n2048\nFLAT\n"{secret}"\n0'),
        "an extent after a tab": (own, f'\tRW\t2048\tFLAT\t"{secret}"\t0'),
        "an extent of another case": (own, f'rw 2048 flat "{secret}" 0'),
        "an extent after a return": (own + f'\rRW 2048 FLAT "{secret}" 0',),
        "an extent by path": (f'RW 2048 SPARSE "{secret}"',),
        "an extent beside": ('RW 2048 SPARSE "../canary"',),
        "two kinds": ('createType="vmfs"', own, f'RW +2048 FLAT "{secret}" 0'),
        "a device map": (own, f'RW 2048 VMFSRDM "{secret}"'),
    }.items():
        text = descriptor(*lines)
        yield forge.write(f"vmdk with {name}", "vmdk", _sparse(forge, text))
        yield forge.write(f"vmdk with {name}, read as text", "vmdk", _sparse(forge, text, capacity=0))
    linked = descriptor(own, f'# parentFileNameHint="{secret}"', parent="00000001")
    yield forge.write("vmdk with a parent id", "vmdk", _sparse(forge, linked))
    for kind in ("monolithicFlat", "vmfs", "fullDevice", "custom", ""):
        yield forge.write(f"vmdk of kind {kind}", "vmdk", _sparse(forge, descriptor(own, kind=kind)))


def _others(forge: Forge) -> Iterator[Crafted]:
    """VHD, VDI and the formats that are not taken at all."""
    for subformat in ("dynamic", "fixed"):
        data = forge.base("vpc", "-o", f"subformat={subformat},force_size=on")
        for name, offset, value in (
            ("parent", 60, struct.pack(">I", 4)),
            ("size", 48, struct.pack(">Q", 1 << 50)),
            ("geometry", 56, b"\xff\xff\x10\xff"),
            ("features", 8, b"\xff" * 4),
            ("table", 16, b"\xff" * 8),
        ):
            for place, at in (("head", 0), ("foot", len(data) - SECTOR)):
                bent = bytearray(data)
                bent[at + offset : at + offset + len(value)] = value
                bent[at + 64 : at + 68] = bytes(4)
                struct.pack_into(">I", bent, at + 64, ~sum(bent[at : at + SECTOR]) & 0xFFFFFFFF)
                yield forge.write(f"vhd {subformat} {name} {place}", "vhd", bytes(bent))
    vdi = forge.base("vdi")
    for name, offset, value in (
        ("parent type", 0x4C, 4),
        ("blocks", 0x180, 0xFFFFFFFF),
        ("size", 0x174, 0xFFFFFF),
        ("block size", 0x178, 0),
        ("map", 0x154, 0xFFFFFFF0),
    ):
        bent = bytearray(vdi)
        struct.pack_into("<I", bent, offset, value)
        yield forge.write(f"vdi {name}", "vdi", bytes(bent))
    for disk_format in ("vhdx", "qed", "parallels", "qcow"):
        for declared in ("raw", disk_format, "iso"):
            yield forge.write(f"{disk_format} as {declared}", declared, bytes(forge.base(disk_format)))
    for magic, name in ((b"LUKS\xba\xbe", "luks"), (b"OOOM", "cow"), (b"Bochs Virtual HD Image", "bochs")):
        for declared in ("raw", "luks"):
            yield forge.write(f"{name} as {declared}", declared, magic.ljust(64 << 10, b"\0"))


def _polyglots(forge: Forge) -> Iterator[Crafted]:
    """Files that are two things, and nested ones."""
    partitions = bytearray(64 << 10)
    partitions[510:512], partitions[512:520] = b"\x55\xaa", b"EFI PART"
    iso = bytearray(64 << 10)
    iso[0x8001:0x8006] = b"CD001"
    backed = forge.base("qcow2")
    name = forge.secrets[0].encode()
    backed[512 : 512 + len(name)] = name
    qcow2(backed, backing_offset=512, backing_size=len(name))
    for second, offset, magic in (
        ("iso", 0x8001, b"CD001"),
        ("gpt", 0x200, b"EFI PART"),
        ("mbr", 510, b"\x55\xaa"),
        ("vdi", 0x40, b"\x7f\x10\xda\xbe"),
    ):
        for first in ("qcow2", "vmdk", "vpc", "qed"):
            both = forge.base(first).ljust(0x9100, b"\0")
            both[offset : offset + len(magic)] = magic
            for declared in ("raw", "iso"):
                yield forge.write(f"{first} and {second} as {declared}", declared, bytes(both))
    yield forge.write("partitions", "raw", bytes(partitions))
    yield forge.write("an iso called raw", "raw", bytes(iso))
    yield forge.write("an iso", "iso", bytes(iso))
    yield forge.write("a hostile qcow2 inside a partition", "raw", bytes(partitions[: 32 << 10] + backed))
    yield forge.write("a foot of a vhd", "raw", bytes(64 << 10) + b"conectix".ljust(512, b"\0"))
    yield forge.write("nothing", "raw", b"")
    yield forge.write("a byte", "qcow2", b"Q")


def _truncated(forge: Forge) -> Iterator[Crafted]:
    for disk_format, declared in (("qcow2", "qcow2"), ("vmdk", "vmdk"), ("vpc", "vhd"), ("vdi", "vdi")):
        data = forge.base(disk_format)
        for cut in sorted({3, 64, 71, 104, 511, 512, 1024, len(data) // 2, len(data) - 1}):
            yield forge.write(f"{disk_format} cut at {cut}", declared, bytes(data[:cut]))
