from __future__ import annotations

from pathlib import Path

import pytest

from nova_tools import apt, guest_kernel, pythons
from nova_tools.guest_image import libraries
from nova_tools.trouble import Trouble

OTHER = Trouble("apt-get failed (exit code 100)")
LOG = Path("/log")


@pytest.mark.parametrize(
    ("output", "says"),
    [
        ("Err:1 x bookworm InRelease\n  Could not resolve 'x'", "The Debian archive cannot be reached"),
        ("E: You don't have enough free space in /var/cache", "The disk is full"),
        ("E: Could not get lock /var/lib/dpkg/lock", "Another program is installing packages"),
        ("E: Unmet dependencies", "apt-get failed"),
    ],
)
def test_failures_of_apt_become_sentences(output: str, says: str) -> None:
    assert says in str(apt.explain(output, LOG, OTHER))


@pytest.mark.parametrize(
    ("output", "says"),
    [
        ("NewConnectionError: Failed to establish a new connection", "index cannot be reached"),
        ("OSError: [Errno 28] No space left on device", "The disk is full"),
        ("error: command 'gcc' failed", "apt-get failed"),
    ],
)
def test_failures_of_pip_become_sentences(output: str, says: str) -> None:
    assert says in str(pythons.explain(output, LOG, OTHER))


def test_a_package_is_installed_only_in_that_very_state() -> None:
    shown = "qemu-utils:install ok installed\ncpio:deinstall ok config-files\n"
    assert apt.installed_in(shown, "qemu-utils")
    assert not apt.installed_in(shown, "cpio")
    assert not apt.installed_in(shown, "utils")


def test_the_kernel_behind_the_meta_package_is_read() -> None:
    shown = "linux-image-cloud-amd64\n  Depends: linux-image-6.1.0-56-cloud-amd64\n"
    assert guest_kernel.real_package(shown) == "linux-image-6.1.0-56-cloud-amd64"
    with pytest.raises(Trouble, match="does not know the package"):
        guest_kernel.real_package("")


def test_libraries_are_read_from_ldd() -> None:
    shown = (
        "\tlinux-vdso.so.1 (0x00007f02ef195000)\n\tlibz.so.1 => /lib/libz.so.1 (0x00007f02ef039000)\n"
        "\t/lib64/ld-linux-x86-64.so.2 (0x00007f02ef197000)\n"
    )
    assert libraries(shown) == [Path("/lib/libz.so.1"), Path("/lib64/ld-linux-x86-64.so.2")]
