"""The connection to a libvirt daemon that restarts."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from nova.clock import StoppedClock
from nova.errors.virt import HypervisorUnavailable
from nova.virt.libvirt.connection import Connection
from nova.virt.libvirt.events import Mailbox

LIVING = "test:///default"


class Meanwhile(StoppedClock):
    """The daemon comes back while somebody sleeps for the third time, if it does."""

    def __init__(self, *, comes_back: bool) -> None:
        super().__init__()
        self.connection: Connection | None = None
        self.slept = 0
        self._comes_back = comes_back

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.slept += 1
        if self._comes_back and self.slept == 3 and self.connection is not None:
            self.connection._uri = LIVING


def started(tmp_path: Path, clock: Meanwhile) -> Connection:
    gone = f"qemu+unix:///system?socket={tmp_path}/nobody"
    made = clock.connection = Connection(gone, "host-1", Mailbox(), call_timeout=20.0, clock=clock)
    with contextlib.suppress(HypervisorUnavailable):
        made.open()
    return made


def test_a_daemon_that_restarts_is_waited_for(tmp_path: Path) -> None:
    clock = Meanwhile(comes_back=True)
    connection = started(tmp_path, clock)
    assert connection.call(lambda virt: virt.getURI()) == LIVING
    assert clock.slept == 3
    connection.close()


def test_a_daemon_that_stays_away_is_waited_for_once_and_not_by_every_call(tmp_path: Path) -> None:
    clock = Meanwhile(comes_back=False)
    connection = started(tmp_path, clock)
    with pytest.raises(HypervisorUnavailable, match="cannot be reached"):
        connection.call(lambda virt: virt.getURI())
    slept = clock.slept
    assert slept > 3
    with pytest.raises(HypervisorUnavailable, match="cannot be reached"):
        connection.call(lambda virt: virt.getURI())
    assert clock.slept == slept
    connection.close()
