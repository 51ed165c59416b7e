"""The choice between KVM and emulation, tried on the real QEMU."""

from __future__ import annotations

import pytest

from nova.clock import Clock
from nova.virt.libvirt import virt_type

EMULATOR = "qemu-system-x86_64"


def test_the_test_guest_really_runs_and_ends() -> None:
    assert virt_type.boot_seconds(EMULATOR, "tcg", 60, Clock()) is not None


def test_a_guest_that_never_ends_counts_as_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virt_type, "_SECTOR", b"\xeb\xfe".ljust(510, b"\0") + b"\x55\xaa")
    assert virt_type.boot_seconds(EMULATOR, "tcg", 1.0, Clock()) is None


def test_no_qemu_counts_as_failed() -> None:
    assert virt_type.boot_seconds("/no/such/qemu", "tcg", 5, Clock()) is None


@pytest.mark.parametrize("wish", ["kvm", "qemu"])
def test_a_plain_wish_is_granted(wish: str) -> None:
    assert virt_type.choose(wish, "/no/such/qemu", least_s=1, clock=Clock()) == wish


def test_a_kvm_that_cannot_run_means_emulation() -> None:
    assert virt_type.choose("auto", "/no/such/qemu", least_s=1, clock=Clock()) == "qemu"
