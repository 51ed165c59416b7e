"""``qemu-img`` with formats always said, bounded in memory and time."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from nova.errors.host import CommandFailed, CommandTimedOut, ProgramMissing
from nova.errors.virt import ActionFailed, HostFull
from nova.objects.base import Value
from nova.privsep.limits import Limits, limited
from nova.privsep.run import run

LOG = logging.getLogger(__name__)

# A hostile image makes qemu-img eat memory and time; honest ones need far less.
_BOUNDS = Limits(cpu_seconds=7200, memory_bytes=2 << 30)
_QUICK_S = 60.0


class QemuImg(Value, frozen=True, kw_only=True):
    """The program on this host."""

    host: str
    copy_timeout: float = 7200.0

    def create(self, path: Path, disk_format: str, size_bytes: int) -> None:
        """Make an empty disk."""
        words = ["create", "-q", "-f", disk_format, str(path), str(size_bytes)]
        self._run(words, _QUICK_S)

    def create_overlay(self, path: Path, size_bytes: int, *, base: Path, base_format: str) -> None:
        """Make a qcow2 that shows ``base`` until it is written to."""
        words = [
            "create",
            "-q",
            "-f",
            "qcow2",
            "-F",
            base_format,
            "-b",
            str(base),
            str(path),
            str(size_bytes),
        ]
        self._run(words, _QUICK_S)

    def convert(self, source: Path, source_format: str, target: Path, target_format: str) -> None:
        """Copy a disk that nobody writes to, whole and without backing file; holes stay holes."""
        words = ["convert", "-q", "-f", source_format, "-O", target_format, str(source), str(target)]
        self._run(words, self.copy_timeout)

    def resize(self, path: Path, disk_format: str, size_bytes: int) -> None:
        """Make a disk larger."""
        self._run(["resize", "-q", "-f", disk_format, str(path), str(size_bytes)], _QUICK_S)

    def _run(self, words: Sequence[str], timeout_s: float) -> None:
        try:
            run(limited(["qemu-img", *words], _BOUNDS), timeout_s=timeout_s)
        except CommandFailed as error:
            said = str(error.facts.get("stderr", ""))
            LOG.error("qemu-img %s failed: %s", words[0], said)
            if "No space left" in said:
                raise HostFull(host=self.host, resource="disk", reason="the file system is full") from None
            raise ActionFailed(
                action=f"disk {words[0]}", host=self.host, reason="qemu-img failed, see the log"
            ) from None
        except (CommandTimedOut, ProgramMissing) as error:
            raise ActionFailed(action=f"disk {words[0]}", host=self.host, reason=error.sentence()) from None
