"""Bounds for programs that work on what users gave us."""

from __future__ import annotations

import os
from collections.abc import Sequence

from nova.objects.base import Value


class Limits(Value, frozen=True, kw_only=True):
    """What a program may use before the kernel stops it; zero means no bound of that kind."""

    cpu_seconds: int = 0
    memory_bytes: int = 0
    """Address space."""
    stack_bytes: int = 0
    """Stack of each thread: address space that many threads would take for nothing."""


def limited(argv: Sequence[str | os.PathLike[str]], limits: Limits) -> list[str]:
    """Return the words that run ``argv`` under ``limits`` (by util-linux's ``prlimit``)."""
    # Of each thread's arena the C library reserves 64 MiB of address space: as many as happen to work at a
    # time would decide whether the program stays within its bound.
    words = ["env", "MALLOC_ARENA_MAX=1"] if limits.memory_bytes else []
    words.append("prlimit")
    if limits.cpu_seconds:
        words.append(f"--cpu={limits.cpu_seconds}")
    if limits.memory_bytes:
        words.append(f"--as={limits.memory_bytes}")
    if limits.stack_bytes:
        words.append(f"--stack={limits.stack_bytes}")
    return [*words, "--", *(os.fspath(word) for word in argv)]
