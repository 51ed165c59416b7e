from __future__ import annotations

import fcntl
import threading
from pathlib import Path

from nova_tools.locks import only_one
from nova_tools.waiting import wait_until


def test_who_waited_while_the_lock_was_removed_does_not_hold_it_beside_another(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    inside: list[bool] = []
    waits = threading.Event()

    def wait_for_it() -> None:
        waits.set()
        with only_one(path):
            # Who holds the lock holds the file that others would take.
            inside.append(not _is_free(path))

    waiter = threading.Thread(target=wait_for_it)
    with only_one(path):
        waiter.start()
        assert waits.wait(30)
        assert wait_until(lambda: _holders_and_waiters(path) == 2, 30)
        path.unlink()
    waiter.join(30)
    assert inside == [True]


def _is_free(path: Path) -> bool:
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


def _holders_and_waiters(path: Path) -> int:
    inode = path.stat().st_ino
    return sum(f":{inode} " in line for line in Path("/proc/locks").read_text().splitlines())
