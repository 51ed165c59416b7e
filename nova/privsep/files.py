"""Files of guests on a host: private directories, whole replacement, certain removal."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from pathlib import Path

from nova import ids
from nova.concurrency import in_native_thread


def make_private_directory(path: Path, mode: int = 0o711) -> None:
    """Create a directory (and its parents) that others may pass through but not list.  Idempotent.

    The hypervisor's own user must reach the disks inside; they themselves are closed to others.
    """
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(mode)


def write_whole(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Replace a file at once: a reader, or a crash, sees the old content or the new, never a part."""
    beside = path.with_name(f".{path.name}.{ids.new_uuid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def move(source: Path, target: Path, mode: int = 0o600) -> None:
    """Move a file, over file systems if need be; the target appears whole or not at all."""
    beside = target.with_name(f".{target.name}.{ids.new_uuid()}")
    try:
        try:
            os.rename(source, beside)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            copy(source, beside)
            source.unlink()
        beside.chmod(mode)
        os.replace(beside, target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def copy(source: Path, target: Path) -> None:
    """Copy a plain file of any size; other work of the process goes on meanwhile."""
    in_native_thread(shutil.copyfile, source, target, follow_symlinks=False)


def remove_tree(path: Path) -> None:
    """Remove a directory with all that is in it.  Links are removed, not followed.  Nothing there is fine.

    It is renamed first, so that a removal that is cut short never leaves half a guest under its name.
    """
    doomed = path.with_name(f"{path.name}_del")
    with contextlib.suppress(FileNotFoundError):
        if not doomed.exists():
            os.rename(path, doomed)
    for place in (path, doomed):
        with contextlib.suppress(FileNotFoundError):
            # The kernel takes its time to let go of large files.
            in_native_thread(shutil.rmtree, place)


def tail(path: Path, limit_bytes: int) -> bytes:
    """Return at most the last ``limit_bytes`` of a file; empty when it is not there or not a plain file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return b""
    with os.fdopen(descriptor, "rb") as file:
        try:
            size = os.fstat(descriptor).st_size
            file.seek(max(0, size - limit_bytes))
            return file.read(limit_bytes)
        except OSError:
            return b""


def set_kernel_switch(path: Path, value: str) -> bool:
    """Write a value below ``/proc/sys``; False when the kernel has no such switch."""
    try:
        if path.read_text().strip() != value:
            path.write_text(value)
    except FileNotFoundError:
        return False
    return True
