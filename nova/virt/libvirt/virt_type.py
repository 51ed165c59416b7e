"""Whether KVM works on this machine, found out by running something in it.

``/dev/kvm`` existing says little: inside some virtual machines it opens, and guests then crawl or hang.  So a
boot sector that does nothing but end QEMU is run twice, emulated and with KVM.  A working KVM needs about as
long as emulation; one that needs ten times as long is of no use.
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
_EMULATION_S = 60.0
_WORST_RATIO = 10.0
# cli; mov dx, 0xf4; mov al, 0x10; out dx, al; hlt; jmp back: QEMU's debug-exit device makes
# (0x10 << 1) | 1 its exit code.
_SECTOR = bytes.fromhex("fa baf400 b010 ee f4 ebfd").ljust(510, b"\0") + b"\x55\xaa"
_DONE = 33


def choose(wish: str, emulator: str, *, least_s: float, clock: Clock) -> str:
    """Return ``kvm`` or ``qemu``; a wish other than ``auto`` is granted unseen."""
    if wish in (KVM, QEMU):
        return wish
    if not os.access(_DEVICE, os.R_OK | os.W_OK):
        LOG.info("Guests are emulated: this host has no usable %s", _DEVICE)
        return QEMU
    emulated = boot_seconds(emulator, "tcg", _EMULATION_S, clock)
    limit = max(least_s, _WORST_RATIO * emulated) if emulated is not None else least_s
    with_kvm = boot_seconds(emulator, "kvm", limit, clock)
    if with_kvm is None:
        LOG.warning(
            "Guests are emulated: %s exists, but a test guest did not end within %.1f s with KVM",
            _DEVICE,
            limit,
        )
        return QEMU
    LOG.info("Guests run with KVM: a test guest ended after %.2f s", with_kvm)
    return KVM


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
