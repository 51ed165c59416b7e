"""Whether this machine was started anew: then guests that it took along may be started again.

The kernel draws an id at each start. The last one under which all guests of all hosts here were told to the
conductor is kept beside the guests; with another one, whatever is off was not switched off by anybody.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from nova.objects.host import ObservedGuest
from nova.objects.ids import HostName

LOG = logging.getLogger(__name__)

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class HostBoot:
    """Says of guests whether they went with the machine; for all hosts of a process."""

    def __init__(
        self, hosts: Iterable[HostName], memory: Path, *, resume: bool, boot_id: Path = BOOT_ID
    ) -> None:
        """``memory`` keeps the last start known; one that is not there says nothing of an earlier start."""
        self._memory = memory
        self._now = _read(boot_id)
        before = _read(memory)
        self._lock = threading.Lock()
        self._untold = set(hosts) if before != self._now else set()
        self._resume = resume and bool(before) and bool(self._now)
        if self._untold and self._resume:
            LOG.warning("this machine was started anew: guests that were running are started again")

    def marked(self, host: HostName, guests: Sequence[ObservedGuest]) -> list[ObservedGuest]:
        """Return the guests with those marked that may have gone with the machine."""
        with self._lock:
            lost = self._resume and host in self._untold
        return (
            [msgspec.structs.replace(guest, host_booted=True) for guest in guests] if lost else list(guests)
        )

    def told(self, host: HostName) -> None:
        """The conductor took over what became of all guests of a host."""
        with self._lock:
            if host not in self._untold:
                return
            self._untold.remove(host)
            if self._untold:
                return
        beside = self._memory.with_name(f"{self._memory.name}.new")
        try:
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            with beside.open("w") as file:
                file.write(self._now)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._memory)
        except OSError as error:
            LOG.warning("this start of the machine cannot be kept in mind: %s", error)


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
