"""The choice between KVM and emulation, tried on the real QEMU."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from nova.clock import Clock
from nova.conf.libvirt import LibvirtConf
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


@pytest.mark.parametrize(
    ("emulated", "with_kvm", "chosen"),
    [
        ([0.1, 0.1, 0.1], [0.2, 0.2, 0.2], "kvm"),
        ([0.1, 0.1, 0.1], [1.4, 1.4, 1.4], "qemu"),  # it opens and boots, and a whole guest hangs
        ([0.9, 0.1, 0.1], [1.4, 1.4, 1.4], "qemu"),  # the machine was busy for a moment
        ([0.1, 0.1, 0.1], [None, 1.2, 0.3], "kvm"),
        ([0.9, 0.8, 0.8], [1.4, 1.4, 1.4], "kvm"),  # it is slow altogether
        ([None, None, None], [0.3, 0.3, 0.3], "kvm"),
        ([0.1, 0.1, 0.1], [None, None, None], "qemu"),
    ],
)
def test_kvm_is_used_where_it_is_about_as_quick_as_emulation(
    monkeypatch: pytest.MonkeyPatch, emulated: list[float | None], with_kvm: list[float | None], chosen: str
) -> None:
    runs = {"tcg": iter(emulated), "kvm": iter(with_kvm)}

    def boot(emulator: str, accelerator: str, limit_s: float, clock: Clock) -> float | None:
        seconds = next(runs[accelerator])
        return seconds if seconds is not None and seconds <= limit_s else None

    monkeypatch.setattr(virt_type, "_DEVICE", Path("/dev/null"))
    monkeypatch.setattr(virt_type, "boot_seconds", boot)
    assert virt_type.choose("auto", "qemu", least_s=LibvirtConf().kvm_probe_timeout, clock=Clock()) == chosen


class Tries:
    """Stands in for KVM, which works on some machines only: what trying it would find."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, found: str) -> None:
        self.found, self.count = found, 0
        monkeypatch.setattr(virt_type, "_DEVICE", Path("/dev/null"))
        monkeypatch.setattr(virt_type, "_try", self)

    def __call__(self, emulator: str, least_s: float, clock: Clock) -> str:
        self.count += 1
        return self.found


@pytest.fixture
def emulator(tmp_path: Path) -> str:
    return str(shutil.copyfile("/bin/true", tmp_path / "qemu"))


def test_what_was_found_out_holds_until_something_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, emulator: str
) -> None:
    tries, memory = Tries(monkeypatch, "qemu"), tmp_path / ".virt-type"

    def choose() -> str:
        return virt_type.choose("auto", emulator, least_s=1, clock=Clock(), memory=memory)

    assert [choose(), choose()] == ["qemu", "qemu"] and tries.count == 1
    tries.found = "kvm"
    with Path(emulator).open("a") as newer:
        newer.write("a newer QEMU")
    assert [choose(), choose()] == ["kvm", "kvm"] and tries.count == 2
    monkeypatch.setattr(virt_type, "_BOOT", Path("/proc/sys/kernel/ostype"))
    assert choose() == "kvm" and tries.count == 3, "the machine was started anew"


@pytest.mark.parametrize("text", ["", "nonsense", "a\nb\nc\n", "x\nkvm\n"])
def test_a_memory_that_cannot_be_used_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, emulator: str, text: str
) -> None:
    tries, memory = Tries(monkeypatch, "qemu"), tmp_path / ".virt-type"
    memory.write_text(text)
    for _ in range(2):
        assert virt_type.choose("auto", emulator, least_s=1, clock=Clock(), memory=memory) == "qemu"
    assert tries.count == 1
