"""Debian's cloud kernel for the guest, without installing it on this machine.

Installing a kernel package would rebuild the host's own boot files; so the package is only fetched and
unpacked, unless the machine happens to have that kernel already.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from nova_tools.commands import run
from nova_tools.trouble import Trouble

PACKAGE = "linux-image-cloud-amd64"


@dataclass(frozen=True)
class Kernel:
    """A kernel unpacked somewhere: its version and the directory that holds ``boot`` and ``lib``."""

    version: str
    root: Path

    @property
    def image(self) -> Path:
        return self.root / "boot" / f"vmlinuz-{self.version}"

    def modules(self, names: tuple[str, ...]) -> list[Path]:
        """List the files of these modules and of what they need, in the order to load them.

        Built-in modules need no file; a name this kernel does not have is passed over.
        """
        found: list[Path] = []
        for name in names:
            try:
                shown = run(["modprobe", "-S", self.version, "-d", self.root, "--show-depends", name])
            except Trouble:
                continue
            files = [Path(line.split()[1]) for line in shown.splitlines() if line.startswith("insmod ")]
            found += [file for file in files if file not in found]
        return found


def find_kernel(cache: Path) -> Kernel:
    """Return the installed cloud kernel, else one fetched into ``cache`` with apt. Idempotent."""
    return _installed() or _unpacked(cache) or _fetch(cache)


def _installed() -> Kernel | None:
    return _kernel_below(Path("/"))


def _unpacked(cache: Path) -> Kernel | None:
    return _kernel_below(cache / "root")


def _kernel_below(root: Path) -> Kernel | None:
    for image in sorted(root.glob("boot/vmlinuz-*-cloud-amd64"), reverse=True):
        version = image.name.removeprefix("vmlinuz-")
        if (root / "lib/modules" / version / "modules.dep").exists():
            return Kernel(version, root)
    return None


def _fetch(cache: Path) -> Kernel:
    real = real_package(run(["apt-cache", "depends", PACKAGE]))
    shutil.rmtree(cache, ignore_errors=True)
    (cache / "download").mkdir(parents=True)
    run(["apt-get", "download", real], cwd=cache / "download", seconds=300)
    package = next((cache / "download").glob("*.deb"))
    unpacked = cache / "root.new"
    run(["dpkg-deb", "-x", package, unpacked], seconds=120)
    version = real.removeprefix("linux-image-")
    run(["depmod", "-b", unpacked, version], seconds=60)
    unpacked.rename(cache / "root")
    shutil.rmtree(cache / "download")
    kernel = _unpacked(cache)
    if kernel is None:
        raise Trouble(f"The package {real} holds no kernel", f"Remove {cache} and run this again")
    return kernel


def real_package(depends: str) -> str:
    """Read from ``apt-cache depends`` which package the meta package stands for."""
    found = re.search(r"Depends:\s+(linux-image-\S+-cloud-amd64)", depends)
    if found is None:
        raise Trouble(
            f"apt does not know the package {PACKAGE}",
            "Run 'apt-get update' and see that Debian's main is on",
        )
    return found[1]
