"""libvirt's event loop in a native thread, and how its news reach the rest of the process.

libvirt has one event loop for the whole process, in C.  It runs in a thread of the operating system even
when everything else runs on green threads; callbacks there only append to a queue and raise a flag in the
kernel (an eventfd), on which an ordinary thread of ours waits.
"""

from __future__ import annotations

import collections
import functools
import os
import selectors
from typing import Any, Literal

from nova import concurrency
from nova.objects.base import Value


class News(Value, frozen=True, kw_only=True):
    """Something happened to a domain, or to the connection (no domain)."""

    domain: str | None = None
    """uuid."""
    kind: Literal["lifecycle", "closed"] = "lifecycle"
    event: int = 0
    detail: int = 0


class Mailbox:
    """A queue from native threads to an ordinary one."""

    def __init__(self) -> None:
        self._news: collections.deque[News] = collections.deque(maxlen=100_000)
        self._flag = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    def put(self, news: News) -> None:
        """Hand over from any thread, native ones too; never blocks, takes no lock."""
        self._news.append(news)
        os.eventfd_write(self._flag, 1)

    def wake(self) -> None:
        """Make a waiting :meth:`take` return."""
        os.eventfd_write(self._flag, 1)

    def take(self, seconds: float) -> list[News]:
        """Wait at most so long for news and return all there is, oldest first."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._flag, selectors.EVENT_READ)
            if selector.select(seconds):
                os.eventfd_read(self._flag)
        taken = []
        while self._news:
            taken.append(self._news.popleft())
        return taken


@functools.cache
def run_event_loop(libvirt: Any) -> None:
    """Start libvirt's event loop for this process; must run before the first connection is opened.

    Cached because the C library keeps the loop in a global: registering a second one breaks the first.
    """
    libvirt.virEventRegisterDefaultImpl()

    def loop() -> None:
        while True:
            libvirt.virEventRunDefaultImpl()

    concurrency.start_native_thread(loop, name="libvirt-events")
