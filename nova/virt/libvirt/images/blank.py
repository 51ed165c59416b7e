"""Disks that start empty: ephemeral ones with a file system, and swap."""

from __future__ import annotations

import logging
from pathlib import Path

from nova.errors.host import CommandFailed, CommandTimedOut, ProgramMissing
from nova.errors.virt import ActionFailed
from nova.privsep.run import run

LOG = logging.getLogger(__name__)
_FORMAT_S = 120.0
_MAX_VFAT_LABEL = 11


def make_ephemeral(path: Path, size_bytes: int, *, file_system: str, label: str, host: str) -> None:
    """Make a sparse raw disk with a file system over the whole of it."""
    programs: dict[str, list[str]] = {
        "ext2": ["mkfs.ext2", "-q", "-F", "-L", label],
        "ext3": ["mkfs.ext3", "-q", "-F", "-L", label],
        "ext4": ["mkfs.ext4", "-q", "-F", "-L", label],
        "xfs": ["mkfs.xfs", "-q", "-f", "-L", label],
        "vfat": ["mkfs.vfat", "-n", label[:_MAX_VFAT_LABEL]],
    }
    if file_system not in programs:
        raise ActionFailed(
            action="format", host=host, reason=f"there is no program for the file system {file_system}"
        )
    _sparse(path, size_bytes)
    _format([*programs[file_system], str(path)], host)


def make_swap(path: Path, size_bytes: int, *, host: str) -> None:
    """Make a sparse raw swap disk."""
    _sparse(path, size_bytes)
    _format(["mkswap", "-L", "swap", str(path)], host)


def _sparse(path: Path, size_bytes: int) -> None:
    # Anew, so that no byte of an earlier try is left.
    path.unlink(missing_ok=True)
    with path.open("xb") as file:
        path.chmod(0o600)
        file.truncate(size_bytes)


def _format(words: list[str], host: str) -> None:
    try:
        run(words, timeout_s=_FORMAT_S)
    except (CommandFailed, CommandTimedOut, ProgramMissing) as error:
        LOG.error("A blank disk could not be formatted: %s", error)
        raise ActionFailed(action="format", host=host, reason=f"{words[0]} failed, see the log") from None
