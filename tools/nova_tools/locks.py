"""One at a time across processes: a lock file held while a block runs."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def only_one(path: Path, say: Callable[[str], object] = lambda _: None) -> Iterator[None]:
    """Wait for the lock and hold it; the kernel lets go of it when the process dies.

    ``say`` is told once, in words for a person, when there is somebody to wait for.

    Who waited while the file was removed (by a ``reset``) waits again, for the one that stands there now.
    """
    told = False
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not told:
                    say(f"Another command is at work here and holds {path}: waiting for its end ...")
                told = True
                fcntl.flock(lock, fcntl.LOCK_EX)
            if _stands_there(lock, path):
                yield
                return


def _stands_there(lock: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(lock.fileno()), path.stat())
    except OSError:
        return False
