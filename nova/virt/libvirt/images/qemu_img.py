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

_QUICK_S = 60.0
_CPU_S = 30
_BYTES_A_CPU_SECOND = 8 << 20
"""What the slowest honest copy (one that compresses) gets done on a slow processor."""


def bounds_of(size_bytes: int) -> Limits:
    """Return what the program may use for a disk of which so many bytes are to be copied.

    A hostile image makes it eat memory and time; honest ones need far less.
    """
    return Limits(
        cpu_seconds=_CPU_S + size_bytes // _BYTES_A_CPU_SECOND, memory_bytes=1 << 30, stack_bytes=1 << 20
    )


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

    def convert(
        self, source: Path, source_format: str, target: Path, target_format: str, *, size_bytes: int
    ) -> None:
        """Copy a disk of ``size_bytes`` that nobody writes to, whole and without backing file.

        Holes stay holes.
        """
        words = ["convert", "-q", "-f", source_format, "-O", target_format, str(source), str(target)]
        self._run(words, self.copy_timeout, size_bytes)

    def resize(self, path: Path, disk_format: str, size_bytes: int) -> None:
        """Make a disk larger."""
        self._run(["resize", "-q", "-f", disk_format, str(path), str(size_bytes)], _QUICK_S)

    def _run(self, words: Sequence[str], timeout_s: float, size_bytes: int = 0) -> None:
        try:
            run(limited(["qemu-img", *words], bounds_of(size_bytes)), timeout_s=timeout_s)
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
