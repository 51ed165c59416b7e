"""What processes cost, read from /proc: CPU time and memory of each with its children, and of all others."""

from __future__ import annotations

import os
import resource
from collections.abc import Mapping, Sequence
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
Watched = Mapping[str, Sequence[int]]


def _stats() -> dict[int, tuple[int, float]]:
    """Return parent and CPU seconds of every process."""
    found = {}
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                fields = (path / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            found[int(path.name)] = (int(fields[1]), (int(fields[11]) + int(fields[12])) / TICK)
    return found


def trees(watched: Watched) -> dict[str, list[int]]:
    """Return the ids of the processes and their descendants, by name."""
    children: dict[int, list[int]] = {}
    for pid, (parent, _) in _stats().items():
        children.setdefault(parent, []).append(pid)
    found: dict[str, list[int]] = {}
    for name, roots in watched.items():
        todo, tree = list(roots), []
        while todo:
            pid = todo.pop()
            if pid not in tree:
                tree.append(pid)
                todo += children.get(pid, [])
        found[name] = tree
    return found


def cpu_seconds(watched: Watched) -> dict[str, float]:
    """Return the CPU seconds that process trees have used so far."""
    stats = _stats()
    return {name: sum(stats[pid][1] for pid in tree if pid in stats) for name, tree in trees(watched).items()}


def machine_seconds() -> float:
    """Return the CPU seconds that all cores together were not idle."""
    fields = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / TICK


def own_seconds() -> float:
    """Return the CPU seconds of this process and of its children that ended."""
    parts = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(part.ru_utime + part.ru_stime for part in parts)


def memory_mib(watched: Watched) -> dict[str, float]:
    """Return the proportional set size of process trees in MiB."""
    found = {}
    for name, tree in trees(watched).items():
        kib = 0
        for pid in tree:
            try:
                text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            except OSError:
                continue
            kib += next((int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")), 0)
        found[name] = kib / 1024
    return found
