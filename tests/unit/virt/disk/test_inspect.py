"""Hostile and honest images; the honest ones are made by the real ``qemu-img``."""

from __future__ import annotations

import contextlib
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from nova.errors.virt import ImageUnusable
from nova.virt.disk import inspect

MIB = 1 << 20


def make(path: Path, disk_format: str, *options: str, size: int = 4 * MIB) -> Path:
    subprocess.run(
        ["qemu-img", "create", "-q", "-f", disk_format, *options, str(path), str(size)],
        check=True, timeout=60,
    )  # fmt: skip
    return path


def refusal(path: Path, declared: str, limit: int | None = None) -> str:
    with pytest.raises(ImageUnusable) as caught:
        inspect.check(path, declared, limit, image="cirros")
    assert caught.value.sentence().startswith("Image cirros cannot be used: ")
    return str(caught.value.facts["reason"])


@pytest.mark.parametrize(
    ("disk_format", "options", "declared"),
    [
        ("qcow2", (), "qcow2"),
        ("qcow2", ("-o", "compat=0.10"), "qcow2"),
        ("qcow2", ("-o", "compression_type=zstd,extended_l2=on"), "qcow2"),
        ("qcow2", ("-o", "cluster_size=2M,lazy_refcounts=on"), "qcow2"),
        ("raw", (), "raw"),
        ("raw", (), "ami"),
        ("vmdk", (), "vmdk"),
        ("vmdk", ("-o", "subformat=streamOptimized"), "vmdk"),
        ("vpc", ("-o", "force_size=on"), "vhd"),
        ("vpc", ("-o", "subformat=fixed,force_size=on"), "vhd"),
        ("vdi", (), "vdi"),
    ],
)
def test_honest_images_pass_with_their_size(
    tmp_path: Path, disk_format: str, options: tuple[str, ...], declared: str
) -> None:
    found = inspect.check(make(tmp_path / "i", disk_format, *options), declared, 4 * MIB)
    assert (found.format, found.virtual_bytes) == (disk_format, 4 * MIB)


def test_a_hybrid_iso_is_an_iso_and_plain(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    iso = tmp_path / "i.iso"
    subprocess.run(
        ["genisoimage", "-quiet", "-o", str(iso), str(tmp_path / "tree")],
        check=True, timeout=60, capture_output=True,
    )  # fmt: skip
    data = bytearray(iso.read_bytes())
    data[510:512] = b"\x55\xaa"
    iso.write_bytes(data)
    assert inspect.check(iso, "iso").format == "raw"
    assert "looks like iso" in refusal(iso, "raw")


def test_partitioned_disks_are_plain(tmp_path: Path) -> None:
    disk = bytearray(MIB)
    disk[510:512], disk[512:520] = b"\x55\xaa", b"EFI PART"
    (tmp_path / "i").write_bytes(disk)
    assert inspect.check(tmp_path / "i", "raw").virtual_bytes == MIB


def test_a_backing_file_is_refused(tmp_path: Path) -> None:
    secret = make(tmp_path / "secret", "raw")
    hostile = make(tmp_path / "i", "qcow2", "-b", str(secret), "-F", "raw")
    assert refusal(hostile, "qcow2") == "it has a backing file"


def test_an_external_data_file_is_refused(tmp_path: Path) -> None:
    hostile = make(tmp_path / "i", "qcow2", "-o", f"data_file={tmp_path / 'data'},data_file_raw=on")
    assert refusal(hostile, "qcow2") == "it keeps its data in another file"


def test_a_data_file_name_without_its_feature_bit_is_refused(tmp_path: Path) -> None:
    hostile = make(tmp_path / "i", "qcow2", "-o", f"data_file={tmp_path / 'data'}")
    header = bytearray(hostile.read_bytes())
    header[72:80] = bytes(8)
    hostile.write_bytes(header)
    assert refusal(hostile, "qcow2") == "it keeps its data in another file"


def patched_qcow2(path: Path, offset: int, packed: bytes) -> Path:
    image = bytearray(make(path, "qcow2").read_bytes())
    image[offset : offset + len(packed)] = packed
    path.write_bytes(image)
    return path


@pytest.mark.parametrize(
    ("offset", "packed", "reason"),
    [
        (4, struct.pack(">I", 4), "version 4 is not known"),
        (8, struct.pack(">Q", 1 << 20), "has a backing file"),
        (20, struct.pack(">I", 30), "cluster size is impossible"),
        (20, struct.pack(">I", 0), "cluster size is impossible"),
        (24, struct.pack(">Q", 1 << 60), "mapping table has an impossible size"),
        (32, struct.pack(">I", 2), "encrypted"),
        (36, struct.pack(">I", 1 << 30), "mapping table has an impossible size"),
        (40, struct.pack(">Q", 1 << 40), "outside of the file"),
        (60, struct.pack(">I", 60000), "too many internal snapshots"),
        (72, struct.pack(">Q", 2), "marked as corrupt"),
        (72, struct.pack(">Q", 1 << 5), "features that are not known"),
        (72, struct.pack(">Q", 1 << 63), "features that are not known"),
        (100, struct.pack(">I", 0xFFFFFFFF), "impossible length"),
    ],
)
def test_bent_headers_are_refused(tmp_path: Path, offset: int, packed: bytes, reason: str) -> None:
    assert reason in refusal(patched_qcow2(tmp_path / "i", offset, packed), "qcow2")


def test_luks_inside_qcow2_is_refused_whatever_its_header_says(tmp_path: Path) -> None:
    path = make(tmp_path / "i", "qcow2")
    header_bytes = struct.unpack_from(">I", path.read_bytes(), 100)[0]
    extension = struct.pack(">IIQQ", 0x0537BE77, 16, 1 << 16, 1 << 16)
    assert "encrypted" in refusal(patched_qcow2(path, header_bytes, extension), "qcow2")


@pytest.mark.parametrize("subformat", ["monolithicFlat", "twoGbMaxExtentSparse", "twoGbMaxExtentFlat"])
def test_vmdk_of_several_files_is_refused(tmp_path: Path, subformat: str) -> None:
    refusal(make(tmp_path / "i.vmdk", "vmdk", "-o", f"subformat={subformat}"), "vmdk")


def test_a_text_descriptor_that_names_a_host_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "i"
    path.write_text(
        "# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\n"
        'createType="monolithicFlat"\nRW 8 FLAT "/etc/shadow" 0\n'
    )
    refusal(path, "vmdk")
    assert "looks like vmdk" in refusal(path, "raw")


def test_a_sparse_vmdk_whose_descriptor_names_a_host_file_is_refused(tmp_path: Path) -> None:
    path = make(tmp_path / "i", "vmdk")
    image = path.read_bytes()
    start = image.index(b"RW ")
    end = image.index(b"\n", start)
    path.write_bytes(image.replace(image[start:end], b'RW 8 FLAT "/etc/shadow" 0'.ljust(end - start)))
    assert "names other files" in refusal(path, "vmdk")


def test_a_vmdk_with_a_parent_is_refused(tmp_path: Path) -> None:
    path = make(tmp_path / "i", "vmdk")
    path.write_bytes(path.read_bytes().replace(b"parentCID=ffffffff", b"parentCID=00000001"))
    assert "has a parent" in refusal(path, "vmdk")


@pytest.mark.parametrize("actual", ["qcow2", "qed", "vmdk", "vpc", "vhdx", "vdi", "parallels"])
@pytest.mark.parametrize("declared", ["raw", "iso", "ami"])
def test_another_format_than_declared_is_refused(tmp_path: Path, actual: str, declared: str) -> None:
    refusal(make(tmp_path / "i", actual), declared)


def test_luks_declared_as_plain_bytes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "i").write_bytes(b"LUKS\xba\xbe".ljust(MIB, b"\0"))
    assert "looks like luks" in refusal(tmp_path / "i", "raw")


@pytest.mark.parametrize("declared", ["qcow2", "vmdk", "vhd", "vdi", "iso"])
def test_plain_bytes_are_no_image_of_another_format(tmp_path: Path, declared: str) -> None:
    (tmp_path / "i").write_bytes(bytes(MIB))
    refusal(tmp_path / "i", declared)


@pytest.mark.parametrize("declared", ["vhdx", "ploop", "dmg", "", "qcow", "https"])
def test_other_formats_are_refused(tmp_path: Path, declared: str) -> None:
    (tmp_path / "i").write_bytes(bytes(MIB))
    refusal(tmp_path / "i", declared)


def test_a_polyglot_of_qcow2_and_iso_is_refused(tmp_path: Path) -> None:
    path = make(tmp_path / "i", "qcow2")
    image = bytearray(path.read_bytes().ljust(0x10000, b"\0"))
    image[0x8001:0x8006] = b"CD001"
    path.write_bytes(image)
    for declared in ("qcow2", "iso", "raw"):
        assert "looks like" in refusal(path, declared)


def test_a_disk_larger_than_allowed_is_refused(tmp_path: Path) -> None:
    bomb = make(tmp_path / "i", "qcow2", size=1 << 46)
    assert bomb.stat().st_size < 10 * MIB
    assert str(1 << 46) in refusal(bomb, "qcow2", 1 << 40)


def test_links_devices_and_nothing_are_refused(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(bytes(MIB))
    (tmp_path / "link").symlink_to(tmp_path / "target")
    refusal(tmp_path / "link", "raw")
    refusal(tmp_path / "nowhere", "raw")
    refusal(Path("/dev/zero"), "raw")
    refusal(tmp_path, "raw")


def _mutate(data: bytearray, changes: list[tuple[int, int]]) -> None:
    for offset, value in changes:
        data[offset % len(data)] = value


@pytest.mark.parametrize("disk_format", ["qcow2", "vmdk", "vpc", "vdi"])
def test_no_damage_makes_the_inspection_crash(tmp_path: Path, disk_format: str) -> None:
    original = make(tmp_path / "i", disk_format).read_bytes()[: 1 << 16]
    path = tmp_path / "damaged"
    declared = {"vpc": "vhd"}.get(disk_format, disk_format)

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(st.tuples(st.integers(0, 2048), st.integers(0, 255)), max_size=8),
        st.integers(0, len(original)),
    )
    @example([(35, 1)], 72)
    def damaged(changes: list[tuple[int, int]], cut: int) -> None:
        data = bytearray(original)
        _mutate(data, changes)
        path.write_bytes(data[:cut])
        _passes_or_is_refused(lambda: inspect.check(path, declared, 8 * MIB))

    damaged()


def _passes_or_is_refused(check: Callable[[], inspect.Inspected]) -> None:
    with contextlib.suppress(ImageUnusable):
        assert 0 <= check().virtual_bytes <= 8 * MIB
