"""What a guest says and shows: its serial log on file, its screen's port."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from nova.privsep import files
from nova.virt.libvirt.store import CONSOLE_LOG, CONSOLE_LOG_BEFORE
from nova.virt.libvirt.xml import parse


def read_log(directory: Path, tail_lines: int | None, limit_bytes: int) -> bytes:
    """Return the end of a guest's serial output, at most so many lines and bytes.

    Whatever the guest wrote and however much: never more than ``limit_bytes`` is read.
    """
    data = files.tail(directory / CONSOLE_LOG, limit_bytes)
    if len(data) < limit_bytes:
        data = files.tail(directory / CONSOLE_LOG_BEFORE, limit_bytes - len(data)) + data
    if tail_lines is None:
        return data
    if tail_lines <= 0:
        return b""
    return b"".join(data.splitlines(keepends=True)[-tail_lines:])


def trim_log(directory: Path, limit_bytes: int) -> bool:
    """Keep a log from filling the host: past the limit its end is set aside and the file is cut to nothing.

    The guest's process appends, so it goes on at the new end.  What it writes between our reading and our
    cutting is lost.
    """
    log = directory / CONSOLE_LOG
    try:
        if log.lstat().st_size <= limit_bytes:
            return False
    except FileNotFoundError:
        return False
    files.write_whole(directory / CONSOLE_LOG_BEFORE, files.tail(log, limit_bytes))
    with contextlib.suppress(FileNotFoundError):
        descriptor = os.open(log, os.O_WRONLY | os.O_NOFOLLOW)
        try:
            os.ftruncate(descriptor, 0)
        finally:
            os.close(descriptor)
    return True


def vnc_port(domain_xml: str) -> int | None:
    """Return the port a running domain's screen listens on."""
    graphics = parse(domain_xml).find("./devices/graphics[@type='vnc']")
    port = int(graphics.get("port", "-1")) if graphics is not None else -1
    return port if port > 0 else None
