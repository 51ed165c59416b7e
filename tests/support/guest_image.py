"""The tiny guest image for tests, and a guest run by QEMU alone (no libvirt, no cloud)."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nova_tools.guest_image import GuestImage, build
from nova_tools.waiting import wait_until

# Ten times the idle time: the machines that run this are busy.
BOOT_SECONDS = 120.0


def guest_image() -> GuestImage:
    """Return the image, built at most once per recipe (``NOVA_TEST_GUEST_DIR`` says where it is kept)."""
    return build(Path(os.environ.get("NOVA_TEST_GUEST_DIR", "/var/tmp/nova-test-guest")))


class Guest:
    """A running guest: its serial line and its QEMU monitor."""

    def __init__(self, directory: Path) -> None:
        self._serial = _connect(directory / "serial.sock")
        self._monitor = _connect(directory / "monitor.sock")
        self._reader = self._monitor.makefile("r")
        self.text = ""
        self._read_from = 0
        self._reader.readline()
        self.monitor("qmp_capabilities")

    def monitor(self, command: str) -> None:
        """Send one command to the monitor; events that come in between are passed over."""
        self._monitor.sendall(json.dumps({"execute": command}).encode() + b"\n")
        while "return" not in json.loads(self._reader.readline()):
            pass

    def expect(self, words: str, seconds: float = BOOT_SECONDS) -> str:
        """Wait for words on the serial line, after what was expected before; return the text up to them."""
        end = time.monotonic() + seconds
        while words not in self.text[self._read_from :]:
            self._serial.settimeout(max(0.1, end - time.monotonic()))
            try:
                chunk = self._serial.recv(4096)
            except TimeoutError:
                chunk = b""
            assert chunk, f"no {words!r} within {seconds:.0f} s in:\n{self.text[-3000:]}"
            self.text += chunk.decode(errors="replace")
        start, self._read_from = self._read_from, self.text.index(words, self._read_from) + len(words)
        return self.text[start : self._read_from]

    def type(self, line: str) -> None:
        """Type a line on the serial line."""
        self._serial.sendall(line.encode() + b"\n")

    def log_in(self) -> None:
        """Log in as root at the prompt."""
        self.expect("login: ")
        self.type("root")
        self.expect("Password: ")
        self.type("tiny")
        self.expect("# ")


@contextmanager
def running_guest(
    directory: Path, *disks: str, nic: str = "user,id=n0", more: tuple[str, ...] = ()
) -> Iterator[Guest]:
    """Boot QEMU under emulation; ``disks`` are ``-drive`` values, ``more`` are further arguments."""
    argv = [
        "qemu-system-x86_64", "-machine", "pc", "-accel", "tcg,tb-size=32", "-m", "128", "-display", "none",
        "-nodefaults", "-vga", "std", "-netdev", nic, "-device", "virtio-net-pci,netdev=n0,romfile=",
        "-serial", f"unix:{directory}/serial.sock,server=on,wait=on",
        "-qmp", f"unix:{directory}/monitor.sock,server=on,wait=off",
        *more,
    ]  # fmt: skip
    for disk in disks:
        argv += ["-drive", disk]
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL)
    try:
        yield Guest(directory)
    finally:
        process.kill()
        process.wait()


def _connect(path: Path) -> socket.socket:
    link = socket.socket(socket.AF_UNIX)
    link.settimeout(60)

    def connected() -> bool:
        try:
            link.connect(str(path))
        except OSError:
            return False
        return True

    assert wait_until(connected, 30), f"QEMU does not answer on {path}"
    return link
