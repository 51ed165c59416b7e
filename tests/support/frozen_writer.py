"""A process that stands still in the middle of a transaction, holding a row; run by ``test_frozen.py``."""

from __future__ import annotations

import os
import signal
import sys

from nova.db import owners
from nova.db.engine import Database, Tx


def main(url: str) -> None:
    """Raise a counter; stop before the commit of the first attempt."""
    db = Database(url, patience_s=120.0, durable=False)
    attempts = 0

    def work(tx: Tx) -> None:
        nonlocal attempts
        attempts += 1
        owners.beat(tx, "a", "h")
        if attempts == 1:
            print("held", flush=True)
            os.kill(os.getpid(), signal.SIGSTOP)
            owners.all(tx)

    db.run(work)
    print(f"done at attempt {attempts}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
