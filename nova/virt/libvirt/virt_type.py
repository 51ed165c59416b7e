"""Whether KVM works on this machine, found out by running something in it.

``/dev/kvm`` existing says little: inside some virtual machines it opens, and guests then crawl or hang.  So a
boot sector that does nothing but end QEMU is run emulated and with KVM.  A working KVM needs about as long as
emulation; one that needs many times as long is of no use.  Of each the quickest run counts: the machine may
be busy.  What was found holds until the machine is started anew or has another QEMU: a daemon that starts
again need not wait for a KVM that hangs.
"""

from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path

from nova.clock import Clock
from nova.errors.host import CommandFailed, CommandTimedOut, ProgramMissing
from nova.privsep.run import run

LOG = logging.getLogger(__name__)

KVM, QEMU = "kvm", "qemu"
_DEVICE = Path("/dev/kvm")
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_EMULATION_S = 60.0
_WORST_RATIO = 6.0
_RUNS = 3
# cli; mov dx, 0xf4; mov al, 0x10; out dx, al; hlt; jmp back: QEMU's debug-exit device makes
# (0x10 << 1) | 1 its exit code.
_SECTOR = bytes.fromhex("fa baf400 b010 ee f4 ebfd").ljust(510, b"\0") + b"\x55\xaa"
_DONE = 33


def choose(wish: str, emulator: str, *, least_s: float, clock: Clock, memory: Path | None = None) -> str:
    """Return ``kvm`` or ``qemu``; a wish other than ``auto`` is granted unseen.

    ``memory`` is a file that keeps what was found out by trying.
    """
    if wish in (KVM, QEMU):
        return wish
    if not os.access(_DEVICE, os.R_OK | os.W_OK):
        LOG.info("Guests are emulated: this host has no usable %s", _DEVICE)
        return QEMU
    about = _circumstances(emulator, least_s)
    known = _recall(memory, about)
    if known is not None:
        LOG.info("Guests run with %s, as was found out since this machine started (%s)", known, memory)
        return known
    found = _try(emulator, least_s, clock)
    _remember(memory, about, found)
    return found


def _try(emulator: str, least_s: float, clock: Clock) -> str:
    emulated = _quickest(emulator, "tcg", _EMULATION_S, clock)
    limit = max(least_s, _WORST_RATIO * emulated) if emulated is not None else least_s
    with_kvm = _quickest(emulator, "kvm", limit, clock)
    if with_kvm is None:
        LOG.warning(
            "Guests are emulated: %s exists, but a test guest did not end within %.1f s with KVM",
            _DEVICE,
            limit,
        )
        return QEMU
    LOG.info("Guests run with KVM: a test guest ended after %.2f s", with_kvm)
    return KVM


def _circumstances(emulator: str, least_s: float) -> str:
    """Return what the answer depends on, as one line; empty when it cannot be told."""
    try:
        boot = _BOOT.read_text().strip()
        program = os.stat(emulator)
    except OSError:
        return ""
    return f"{boot} {emulator} {program.st_size} {program.st_mtime_ns} {least_s}"


def _recall(memory: Path | None, about: str) -> str | None:
    if memory is None or not about:
        return None
    try:
        then, found = memory.read_text().splitlines()
    except (OSError, ValueError):
        return None
    return found if then == about and found in (KVM, QEMU) else None


def _remember(memory: Path | None, about: str, found: str) -> None:
    if memory is None or not about:
        return
    beside = memory.with_name(f"{memory.name}.{os.getpid()}")
    try:
        beside.write_text(f"{about}\n{found}\n")
        beside.replace(memory)
    except OSError as error:
        LOG.warning("What was found out about KVM cannot be kept: %s", error)


def _quickest(emulator: str, accelerator: str, limit_s: float, clock: Clock) -> float | None:
    runs = [boot_seconds(emulator, accelerator, limit_s, clock) for _ in range(_RUNS)]
    return min((seconds for seconds in runs if seconds is not None), default=None)


def boot_seconds(emulator: str, accelerator: str, limit_s: float, clock: Clock) -> float | None:
    """Run the boot sector; return how long it took, None if it failed or was stopped at the limit."""
    with tempfile.NamedTemporaryFile(prefix="nova-probe-") as disk:
        disk.write(_SECTOR)
        disk.flush()
        argv = [
            emulator, "-nodefaults", "-no-user-config", "-display", "none", "-m", "16", "-no-reboot",
            "-machine", f"pc,accel={accelerator}", "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04",
            "-drive", f"file={disk.name},format=raw,if=ide,snapshot=on",
        ]  # fmt: skip
        began = clock.monotonic()
        try:
            run(argv, timeout_s=limit_s, ok=(_DONE,))
        except (CommandFailed, CommandTimedOut, ProgramMissing) as error:
            LOG.debug("Test guest with %s: %s", accelerator, error)
            return None
        return clock.monotonic() - began
