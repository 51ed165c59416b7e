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


def test_processor_time_is_bounded() -> None:
    with pytest.raises(CommandFailed):
        run(limited(["sh", "-c", "while :; do :; done"], Limits(cpu_seconds=1)), timeout_s=30)
