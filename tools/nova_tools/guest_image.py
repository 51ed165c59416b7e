"""The tiny guest image, made on the spot from Debian's kernel, busybox and dropbear in a few seconds.

One build gives four files: a bootable qcow2, and the kernel, ramdisk and root file system apart.  The guest
takes its address by DHCP and its identity, ssh key and user data from the metadata service or a config
drive; it grows to its disk, obeys the power button, and shows a login on the screen and the serial line.
User ``root``, password ``tiny``.  What runs in the guest lies in ``guest/``.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from nova_tools.commands import environment, run
from nova_tools.guest_kernel import Kernel, find_kernel
from nova_tools.locks import only_one
from nova_tools.trouble import Trouble

GUEST_FILES = Path(__file__).parent / "guest"
PACKAGES = (
    "busybox-static", "dropbear-bin", "extlinux", "e2fsprogs", "qemu-utils", "cpio", "kmod", "mount", "gzip",
)  # fmt: skip
MODULES = (
    "virtio_pci", "virtio_blk", "virtio_scsi", "sd_mod", "ata_piix", "sr_mod", "virtio_net", "virtio_rng",
    "virtio_balloon", "isofs", "vfat", "nls_cp437", "nls_ascii", "nls_iso8859-1", "button", "evdev",
)  # fmt: skip
GLANCE_PROPERTIES = {
    "architecture": "x86_64", "os_type": "linux", "hw_disk_bus": "virtio", "hw_vif_model": "virtio",
    "hw_video_model": "vga",
}  # fmt: skip
LOGIN_LINE = "=== login: root / tiny"
PASSWORD = "tiny"
_DISK_MIB = 64
_PROGRAMS = ("/usr/sbin/dropbear", "/usr/sbin/resize2fs")
# No journal and few blocks: the whole image is 64 MiB and every write under emulation counts.
_EXT4 = ("-q", "-F", "-t", "ext4", "-O", "^64bit,^metadata_csum,^has_journal", "-m", "0", "-L", "tinyroot")


@dataclass(frozen=True)
class GuestImage:
    """The four files of one build."""

    directory: Path

    @property
    def disk(self) -> Path:
        """The bootable qcow2."""
        return self.directory / "tiny.qcow2"

    @property
    def kernel(self) -> Path:
        return self.directory / "vmlinuz"

    @property
    def ramdisk(self) -> Path:
        return self.directory / "initrd"

    @property
    def root(self) -> Path:
        """The root file system alone (ext4, label ``tinyroot``), for kernel and ramdisk apart."""
        return self.directory / "rootfs.ext4"

    @property
    def complete(self) -> bool:
        return all(path.exists() for path in (self.disk, self.kernel, self.ramdisk, self.root))


def recipe_hash() -> str:
    """Return a hash of everything of ours that goes into the image."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for path in sorted(GUEST_FILES.iterdir()):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def build(cache: Path) -> GuestImage:
    """Build the image below ``cache`` unless this recipe's image is there already (5 s, as root)."""
    image = GuestImage(cache / f"image-{recipe_hash()}")
    if image.complete:
        return image
    if os.geteuid() != 0:
        raise Trouble("Building the guest image needs root (extlinux is installed through a loop device)")
    with only_one(cache / "lock"):
        if not image.complete:
            _build(image, cache)
    return image


def _build(image: GuestImage, cache: Path) -> None:
    kernel = find_kernel(cache / "kernel")
    work = cache / "work"
    shutil.rmtree(work, ignore_errors=True)
    done = work / "image"
    done.mkdir(parents=True)
    shutil.copyfile(kernel.image, done / "vmlinuz")
    _make_ramdisk(kernel, work / "initrd.d", done / "initrd")
    root = work / "root.d"
    _fill_root(root)
    _run_mke2fs(root, done / "rootfs.ext4", 32)
    _make_disk(root, done, work / "disk.raw")
    shutil.rmtree(image.directory, ignore_errors=True)
    done.rename(image.directory)
    shutil.rmtree(work)


def _make_ramdisk(kernel: Kernel, tree: Path, target: Path) -> None:
    for name in ("bin", "dev", "proc", "sys", "root", "modules.d"):
        (tree / name).mkdir(parents=True)
    shutil.copy(_busybox(), tree / "bin/busybox")
    names = []
    for module in kernel.modules(MODULES):
        shutil.copy(module, tree / "modules.d" / module.name)
        names.append(f"/modules.d/{module.name}\n")
    (tree / "modules").write_text("".join(names))
    _install(GUEST_FILES / "initrd_init", tree / "init", 0o755)
    files = "\n".join(str(path.relative_to(tree)) for path in sorted(tree.rglob("*")))
    with target.open("wb") as sink:
        packed = subprocess.run(
            ["cpio", "-o", "-H", "newc", "-R", "0:0", "--quiet"],
            input=files.encode(), stdout=subprocess.PIPE, cwd=tree, env=environment(), check=True, timeout=60,
        )  # fmt: skip
        subprocess.run(["gzip", "-6"], input=packed.stdout, stdout=sink, check=True, timeout=60)


def _fill_root(root: Path) -> None:
    for name in (
        "bin", "boot", "dev", "etc/init.d", "etc/acpi/PWRF", "etc/dropbear", "proc", "root/.ssh", "run",
        "sbin", "sys", "tmp", "usr/bin", "usr/sbin", "mnt", "var",
    ):  # fmt: skip
        (root / name).mkdir(parents=True)
    (root / "root").chmod(0o700)
    (root / "root/.ssh").chmod(0o700)
    busybox = _busybox()
    shutil.copy(busybox, root / "bin/busybox")
    for applet in run([busybox, "--list"]).split():
        if applet != "busybox":
            (root / "bin" / applet).symlink_to("busybox")
    (root / "sbin/init").symlink_to("../bin/busybox")
    for program in _PROGRAMS:
        _copy_with_libraries(Path(program), root)
    for name, place, mode in (
        ("inittab", "etc/inittab", 0o644), ("rcS", "etc/init.d/rcS", 0o755), ("rcK", "etc/init.d/rcK", 0o755),
        ("metadata", "etc/init.d/metadata", 0o755), ("udhcpc.script", "etc/udhcpc.script", 0o755),
        ("power_button", "etc/acpi/PWRF/00000080", 0o755), ("passwd", "etc/passwd", 0o644),
        ("shadow", "etc/shadow", 0o600), ("extlinux.conf", "boot/extlinux.conf", 0o644),
    ):  # fmt: skip
        _install(GUEST_FILES / name, root / place, mode)
    (root / "etc/group").write_text("root:x:0:\ntty:x:5:\n")
    (root / "etc/shells").write_text("/bin/sh\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n")


def _copy_with_libraries(program: Path, root: Path) -> None:
    wanted = [program, *libraries(run(["ldd", program]))]
    for path in wanted:
        target = root / path.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path.resolve(), target)


def libraries(ldd_output: str) -> list[Path]:
    """Read the files out of what ``ldd`` prints (the loader among them)."""
    return [Path(found) for found in re.findall(r"(/\S+) \(0x", ldd_output)]


def _run_mke2fs(tree: Path, target: Path, mib: int) -> None:
    run(["mke2fs", *_EXT4, "-E", "root_owner=0:0", "-d", tree, target, f"{mib}M"], seconds=60)


def _make_disk(root: Path, done: Path, raw: Path) -> None:
    """Make the bootable disk: one file system from the first sector on, extlinux in its boot block."""
    _run_mke2fs(root, raw, _DISK_MIB)
    mounted = raw.with_suffix(".mnt")
    mounted.mkdir()
    run(["mount", "-o", "loop", raw, mounted], seconds=30)
    try:
        for name in ("vmlinuz", "initrd"):
            # extlinux cannot read a file with holes.
            run(["cp", "--sparse=never", done / name, mounted / "boot" / name], seconds=30)
        run(["extlinux", "--install", mounted / "boot"], seconds=30)
    finally:
        run(["umount", mounted], seconds=60)
    run(["qemu-img", "convert", "-q", "-c", "-O", "qcow2", raw, done / "tiny.qcow2"], seconds=120)


def _install(source: Path, target: Path, mode: int) -> None:
    shutil.copyfile(source, target)
    target.chmod(mode)


def _busybox() -> str:
    for place in ("/bin/busybox", "/usr/bin/busybox"):
        if os.access(place, os.X_OK):
            return place
    raise Trouble("busybox is not installed", "Install the package busybox-static")
