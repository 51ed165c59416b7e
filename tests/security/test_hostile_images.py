"""Hostile images on every path that touches a disk: refused or harmless, and the host keeps its own."""

from __future__ import annotations

import ast
import hashlib
import resource
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nova.clock import Clock
from nova.compute.image_cache import Cached, ImageCache
from nova.errors import NovaError
from nova.errors.virt import ActionFailed, ImageUnusable
from nova.objects.ids import ImageId
from nova.objects.image import Image
from nova.privsep.limits import Limits
from nova.virt.disk import inspect
from nova.virt.libvirt.images.qemu_img import QemuImg
from nova.virt.libvirt.images.root import Source, make_root
from tests.security.hostile_images import MIB, Crafted, Forge, bomb, corpus, descriptor, qcow2

CANARY = b"CANARY-of-the-host-4711"
LARGEST = 64 * MIB
SLOWEST_CPU_S = 30.0
PROGRAM = QemuImg(host="h", copy_timeout=60)


class Shelf:
    """An image service of one file."""

    def __init__(self, path: Path, declared: str) -> None:
        self._path = path
        self.image = Image(
            id=ImageId("00000000-0000-0000-0000-000000000001"),
            disk_format=declared,
            size_bytes=path.stat().st_size,
            checksum=hashlib.md5(path.read_bytes()).hexdigest(),
        )

    def download(self, image_id: ImageId, start: int = 0) -> Iterator[bytes]:
        yield self._path.read_bytes()[start:]


class Ears:
    """A port on which nobody must call: what URLs in images point to."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.calls = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                self._socket.accept()[0].close()
            except OSError:
                return
            self.calls += 1

    def close(self) -> None:
        self._socket.close()


class Host:
    """A little tree that stands for the host's files, and what an attacker may know of their names."""

    def __init__(self, root: Path, ears: Ears) -> None:
        self.tree = root / "host"
        self.base = self.tree / "_base"
        self.base.mkdir(parents=True)
        secret = (CANARY + b"\n") * 90_000
        (self.tree / "canary").write_bytes(secret[: 2 * MIB])
        (self.base / "others.raw").write_bytes(secret[:MIB])
        plain, inner, sparse = (str(self.tree / f"canary{end}") for end in ("", ".qcow2", ".vmdk"))
        for path, kind in ((inner, "qcow2"), (sparse, "vmdk")):
            argv = ["qemu-img", "convert", "-f", "raw", "-O", kind, plain, path]
            subprocess.run(argv, check=True, timeout=60)
        # Children that name no parent's id take one with this id.
        text = (self.tree / "canary.vmdk").read_bytes()
        at = text.index(b"\nCID=") + 5
        (self.tree / "canary.vmdk").write_bytes(text[:at] + b"ffffffff" + text[at + 8 :])
        self.secrets = (
            plain,
            sparse,
            "others.raw",
            "../canary",
            inner,
            f"file:{plain}",
            "/dev/zero",
            f'json:{{"driver":"raw","file":{{"driver":"file","filename":"{plain}"}}}}',
            f"nbd://127.0.0.1:{ears.port}/x",
            f"http://127.0.0.1:{ears.port}/x",
        )
        self.before = self.fingerprint()

    def fingerprint(self) -> str:
        """Return what changes when anything of the tree does."""
        digest = hashlib.sha256()
        for path in sorted(self.tree.rglob("*")):
            if path.is_file():
                digest.update(f"{path} {path.stat().st_mode}".encode() + path.read_bytes())
        return digest.hexdigest()


@pytest.fixture(scope="module")
def ears() -> Iterator[Ears]:
    listening = Ears()
    yield listening
    listening.close()


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, ears: Ears) -> Host:
    return Host(tmp_path_factory.mktemp("tree"), ears)


@pytest.fixture(scope="module")
def crafted(tmp_path_factory: pytest.TempPathFactory, host: Host) -> list[Crafted]:
    return list(corpus(Forge(tmp_path_factory.mktemp("corpus"), host.secrets)))


def refused(deed: Callable[[], object]) -> str | None:
    """Return the sentence of a refusal, or nothing when it was taken."""
    try:
        deed()
    except NovaError as error:
        return error.sentence()
    return None


def test_the_corpus_is_large_and_of_all_kinds(crafted: list[Crafted]) -> None:
    assert len(crafted) >= 200
    assert len({one.path for one in crafted}) == len(crafted)
    assert {"raw", "iso", "qcow2", "vmdk", "vhd", "vdi"} <= {one.declared for one in crafted}


@pytest.mark.parametrize("raw", [True, False], ids=["cache of raw files", "cache of qcow2 files"])
def test_what_guests_get_of_hostile_images(
    tmp_path: Path, host: Host, crafted: list[Crafted], ears: Ears, raw: bool
) -> None:
    """Download, judge, convert, make the root disk both ways, and read all that a guest could read of it."""
    taken = []
    for number, one in enumerate(crafted):
        shelf = Shelf(one.path, one.declared)
        # The cache's folder is one an attacker can know: names beside it must lead nowhere.
        cache = ImageCache(host.base, shelf, Clock(), raw=raw, max_bytes=LARGEST)  # type: ignore[arg-type]
        found: list[Cached] = []
        said = refused(lambda c=cache, s=shelf, f=found: f.append(c.fetch(s.image.id, s.image, "h")))
        if said is None:
            taken.append(one.name)
            guest_gets_nothing(tmp_path / str(number), found[0], one)
            found[0].path.unlink()
        else:
            assert said.endswith((".", ")", "log")) or "cannot be used" in said, said
            assert str(host.tree) not in said
        assert not list(host.base.glob("*.part")), one.name
    assert host.fingerprint() == host.before
    assert ears.calls == 0
    assert 5 <= len(taken) <= len(crafted) // 3, taken


def guest_gets_nothing(folder: Path, cached: Cached, one: Crafted) -> None:
    """Make disks of an accepted image and look for the host's bytes in them."""
    for images_type in ("qcow2", "raw"):
        place = folder / images_type
        place.mkdir(parents=True)
        source = Source(path=cached.path, format=cached.format, image_id="i")
        try:
            made = make_root(PROGRAM, source, place / "disk", size_gb=0, images_type=images_type)
        except (ImageUnusable, ActionFailed):
            continue
        assert made.virtual_bytes <= LARGEST, one.name
        PROGRAM.convert(place / "disk", made.format, place / "seen", "raw", size_bytes=made.virtual_bytes)
        seen = (place / "seen").read_bytes()
        assert CANARY not in seen, f"{one.name} gives files of the host away"
        for path in place.iterdir():
            path.unlink()


def test_a_disk_is_judged_where_it_is_made_whoever_brought_the_file(
    tmp_path: Path, crafted: list[Crafted]
) -> None:
    for one in crafted:
        if one.declared not in ("raw", "qcow2"):
            continue
        verdict = refused(lambda o=one: inspect.check(o.path, o.declared))
        if verdict is not None:
            source = Source(path=one.path, format=one.declared, image_id="i")
            with pytest.raises(NovaError):
                make_root(PROGRAM, source, tmp_path / "disk", size_gb=0, images_type="qcow2")


def test_the_corpus_has_teeth(tmp_path: Path, host: Host, crafted: list[Crafted]) -> None:
    """Without judgement, ``qemu-img`` gives the host's files away, though it is told the format."""
    for name in (
        "backing 1.1 0",
        "backing 0.10 0",
        "vmdk monolithicFlat 0 as vmdk",
        "vmdk that is only its text",
        "vmdk with a parent in a comment",
    ):
        one = next(one for one in crafted if one.name == name)
        out = tmp_path / "out"
        argv = ["qemu-img", "convert", "-f", one.declared, "-O", "raw", str(one.path), str(out)]
        subprocess.run(argv, check=True, capture_output=True, timeout=60)
        assert CANARY in out.read_bytes(), name


@pytest.mark.parametrize("hostile", ["backing", "vmdk"])
def test_what_a_guest_wrote_into_its_disk_is_bytes(tmp_path: Path, host: Host, hostile: str) -> None:
    """A guest writes a hostile header into its plain disk: snapshots of it, and their guests, see bytes."""
    forge = Forge(tmp_path, host.secrets)
    if hostile == "vmdk":
        header = descriptor(f'RW 2048 FLAT "{host.secrets[0]}" 0', kind="monolithicFlat")
    else:
        name = host.secrets[0].encode()
        data = forge.base("qcow2")
        data[512 : 512 + len(name)] = name
        header = bytes(qcow2(data, backing_offset=512, backing_size=len(name)))
    disk = tmp_path / "disk"
    disk.write_bytes(header.ljust(2 * MIB, b"\0"))
    PROGRAM.resize(disk, "raw", 4 * MIB)
    for target_format, declared in (
        ("raw", "raw"),
        ("qcow2", "qcow2"),
        ("vmdk", "vmdk"),
        ("vpc", "vhd"),
        ("vdi", "vdi"),
    ):
        shot = tmp_path / f"shot.{target_format}"
        PROGRAM.convert(disk, "raw", shot, target_format, size_bytes=4 * MIB)
        assert CANARY not in shot.read_bytes()
        shelf = Shelf(shot, declared)
        cache = ImageCache(tmp_path / "cache", shelf, Clock(), raw=False, max_bytes=LARGEST)  # type: ignore[arg-type]
        found: list[Cached] = []
        said = refused(lambda c=cache, s=shelf, f=found: f.append(c.fetch(s.image.id, s.image, "h")))
        if target_format == "raw":
            assert said is not None and "looks like" in said
            continue
        if said is None:
            PROGRAM.convert(found[0].path, found[0].format, tmp_path / "seen", "raw", size_bytes=LARGEST)
            seen = (tmp_path / "seen").read_bytes()
            assert CANARY not in seen and seen.startswith(header[:512])
        else:
            # A converted image whose first bytes are hostile again is not guessed at.
            assert "looks like" in said and target_format != "qcow2"


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(bomb(Forge(tmp_path, ("x",)), 256 * MIB))
    assert path.stat().st_size < MIB
    shelf = Shelf(path, "qcow2")
    cache = ImageCache(tmp_path / "cache", shelf, Clock(), max_bytes=1 << 40)  # type: ignore[arg-type]
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    said = refused(lambda: cache.fetch(shelf.image.id, shelf.image, "h", most_bytes=128 * MIB))
    assert said is not None and "more than" in said
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime == before
    assert not list((tmp_path / "cache").iterdir())


def test_programs_that_read_images_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Real bounds on a real program: what needs more memory or time than is allowed ends."""
    from nova.virt.libvirt.images import qemu_img

    bounds = qemu_img.bounds_of(0)
    assert bounds.memory_bytes <= 1 << 30 and bounds.cpu_seconds <= 30
    assert qemu_img.bounds_of(1 << 30).memory_bytes <= 1 << 30
    path = tmp_path / "bomb"
    path.write_bytes(bomb(Forge(tmp_path, ("x",)), 256 * MIB))
    PROGRAM.convert(path, "qcow2", tmp_path / "whole", "raw", size_bytes=256 * MIB)
    assert (tmp_path / "whole").stat().st_size == 256 * MIB
    monkeypatch.setattr(qemu_img, "bounds_of", lambda _: Limits(cpu_seconds=30, memory_bytes=32 << 20))
    with pytest.raises(ActionFailed):
        PROGRAM.convert(path, "qcow2", tmp_path / "none", "raw", size_bytes=256 * MIB)


ROOT = Path(__file__).parents[2]


def qemu_img_calls() -> Iterator[tuple[int, list[str]]]:
    """Find every list of words that is a command of ``qemu-img``, in the one module that runs it."""
    source = ROOT / "nova" / "virt" / "libvirt" / "images" / "qemu_img.py"
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.List) and len(node.elts) > 2:
            yield node.lineno, [e.value if isinstance(e, ast.Constant) else "?" for e in node.elts]


def test_each_call_of_qemu_img_says_the_format_of_each_file() -> None:
    found = dict(qemu_img_calls())
    assert {words[0] for words in found.values()} == {"create", "convert", "resize"}
    for line, words in found.items():
        assert "-f" in words, f"line {line}: {words}"
        assert "-O" in words or words[0] != "convert", f"line {line}: {words}"
        assert "-F" in words or "-b" not in words, f"line {line}: {words}"


def test_nobody_else_runs_qemu_img() -> None:
    named = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "nova").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.List)
        and node.elts
        and isinstance(node.elts[0], ast.Constant)
        and node.elts[0].value in ("qemu-img", "qemu-io", "qemu-nbd")
    }
    assert named == {"nova/virt/libvirt/images/qemu_img.py"}
