"""Bounds, tried on programs that break them."""

from __future__ import annotations

import pytest

from nova.errors.host import CommandFailed
from nova.privsep.limits import Limits, limited
from nova.privsep.run import run


def test_a_program_within_its_bounds_is_not_touched() -> None:
    argv = limited(["cat"], Limits(cpu_seconds=10, memory_bytes=1 << 30))
    assert run(argv, stdin=b"x", timeout_s=10).stdout == b"x"


def test_memory_is_bounded() -> None:
    eater = ["python3", "-c", "x = bytearray(1 << 30)"]
    with pytest.raises(CommandFailed, match="MemoryError"):
        run(limited(eater, Limits(memory_bytes=256 << 20)), timeout_s=30)


MANY_THREADS = """
import threading
ready = threading.Barrier(17)
def work():
    kept = [bytearray(5000) for _ in range(50)]
    ready.wait()
    ready.wait()
for _ in range(16):
    threading.Thread(target=work, daemon=True).start()
ready.wait()
bytearray(200 << 20)
ready.wait()
"""


def test_threads_do_not_use_up_the_memory_bound_with_empty_arenas() -> None:
    """Each thread would set address space of 64 MiB aside for its allocations."""
    limits = Limits(memory_bytes=448 << 20, stack_bytes=1 << 20)
    run(limited(["python3", "-c", MANY_THREADS], limits), timeout_s=60)


def test_processor_time_is_bounded() -> None:
    with pytest.raises(CommandFailed):
        run(limited(["sh", "-c", "while :; do :; done"], Limits(cpu_seconds=1)), timeout_s=30)
