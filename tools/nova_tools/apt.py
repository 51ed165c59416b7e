"""Debian packages: what is missing, and installing it without letting any daemon start by itself."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nova_tools.commands import environment, run, tail
from nova_tools.trouble import Trouble

# python3-dev, gcc, pkg-config and libvirt-dev build libvirt's Python binding; the rest is on hand everywhere.
PYTHON_BUILD = ("python3-venv", "python3-dev", "gcc", "pkg-config", "libvirt-dev", "ca-certificates")
GUEST_BUILD = (
    "busybox-static", "dropbear-bin", "extlinux", "e2fsprogs", "qemu-utils", "cpio", "kmod", "mount", "gzip",
)  # fmt: skip
HYPERVISOR = (
    "libvirt-daemon-system", "libvirt-clients", "qemu-system-x86", "qemu-utils", "genisoimage", "mtools",
    "dosfstools",
)  # fmt: skip
NETWORK = (
    "iproute2", "nftables", "iptables", "dnsmasq-base", "dnsmasq-utils", "conntrack", "iputils-arping",
)  # fmt: skip
CLOUD = ("novnc", "openssh-client", "procps", "util-linux")
RABBITMQ = ("rabbitmq-server",)
MARIADB = ("mariadb-server",)
POSTGRESQL = ("postgresql",)
BROWSER = ("chromium",)
GIT = ("git",)

_POLICY = Path("/usr/sbin/policy-rc.d")
_SECONDS = 1500.0


def missing(packages: Iterable[str]) -> list[str]:
    """List those of the packages that are not installed."""
    wanted = sorted(set(packages))
    shown = _dpkg_status(wanted)
    return [name for name in wanted if not installed_in(shown, name)]


def installed_in(shown: str, name: str) -> bool:
    """Read ``dpkg-query`` lines of the form ``name:status``."""
    return f"{name}:install ok installed" in shown.splitlines()


def _dpkg_status(names: list[str]) -> str:
    # dpkg-query fails when it does not know one of the names; what it knows it prints all the same.
    script = "dpkg-query -W -f '${Package}:${Status}\\n' \"$@\" 2>/dev/null || true"
    return run(["sh", "-c", script, "sh", *names])


def install(packages: Iterable[str], log: Path) -> str | None:
    """Install what is missing; return how many packages that were. Idempotent.

    Raises :class:`Trouble` when we are not root, the archive is out of reach or the disk is full.
    """
    wanted = missing(packages)
    if not wanted:
        return None
    if os.geteuid() != 0:
        raise Trouble(
            f"Debian packages are missing ({' '.join(wanted)}) and only root can install them",
            "Run this as root, for instance with sudo",
        )
    _require_space(Path("/"), 2500)
    with _no_daemon_starts():
        _get(["install", *wanted], log, first=False)
    left = missing(wanted)
    if left:
        raise Trouble(f"apt-get ended well but these packages are not there: {' '.join(left)}", f"See {log}")
    return f"{len(wanted)} packages"


def refresh(log: Path) -> None:
    """Read the archive's list of packages anew."""
    # An archive that is not there is an error, not a warning after which nothing can be installed.
    _get(["-o", "APT::Update::Error-Mode=any", "update"], log, first=True)


def _get(words: list[str], log: Path, *, first: bool) -> None:
    env = environment(DEBIAN_FRONTEND="noninteractive", NEEDRESTART_MODE="l", LC_ALL="C")
    options = [
        "-y",
        "-q",
        "--no-install-recommends",
        "-o",
        "DPkg::Lock::Timeout=300",
        "-o",
        "Acquire::Retries=3",
    ]
    if first:
        options += ["-o", "Acquire::http::Timeout=20", "-o", "Acquire::https::Timeout=20"]
    try:
        run(["apt-get", *options, *words], log=log, seconds=_SECONDS, env=env)
    except Trouble as failure:
        raise explain(tail(log, 60), log, failure) from None


def explain(output: str, log: Path, failure: Trouble) -> Trouble:
    """Turn the usual failures of apt-get into a sentence each."""
    if any(
        words in output
        for words in (
            "Could not resolve",
            "Failed to fetch",
            "Could not connect",
            "Unable to fetch",
            "Unable to locate package",
            "has no installation candidate",
        )
    ):
        return Trouble(
            "The Debian archive cannot be reached",
            f"Check the network and /etc/apt, try 'apt-get update', then run this again (see {log})",
        )
    if "dpkg was interrupted" in output or "dpkg --configure -a" in output:
        return Trouble(
            "An earlier installation of Debian packages was interrupted",
            "Run 'dpkg --configure -a' as root, then this again",
        )
    if "No space left on device" in output or "enough free space" in output:
        return Trouble("The disk is full", "Free some gigabytes on / and run this again")
    if "Could not get lock" in output or "Unable to acquire the dpkg" in output:
        return Trouble("Another program is installing packages", "Wait until it is done and run this again")
    return failure


def _require_space(place: Path, mib: int) -> None:
    free = shutil.disk_usage(place).free // (1 << 20)
    if free < mib:
        raise Trouble(
            f"Only {free} MiB are free on {place}, {mib} MiB are needed", "Free some and run this again"
        )


@contextmanager
def _no_daemon_starts() -> Iterator[None]:
    """While packages are installed, tell Debian's scripts to start nothing; put back what was there."""
    before = _POLICY.read_bytes() if _POLICY.exists() else None
    mode = _POLICY.stat().st_mode if before is not None else 0o755
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        if before is None:
            _POLICY.unlink(missing_ok=True)
        else:
            _POLICY.write_bytes(before)
            _POLICY.chmod(mode)
