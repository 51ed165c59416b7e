"""Results: one JSON object a measurement, every raw figure in it, appended to a file."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks import watching
from tests.benchmarks.clients import Target

Line = dict[str, Any]


def percentile(values: Sequence[float], part: float) -> float | None:
    """Return a percentile, interpolated; none of nothing."""
    ordered = sorted(values)
    if not ordered:
        return None
    at = (len(ordered) - 1) * part
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


def milliseconds(values: Sequence[float]) -> Line:
    """Return the usual percentiles of seconds, in milliseconds."""
    named = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99, "max_ms": 1.0}
    found = {name: percentile(values, part) for name, part in named.items()}
    return {name: None if value is None else round(value * 1000, 2) for name, value in found.items()}


class Record:
    """Writes lines down and keeps them."""

    def __init__(self, file: Path | None) -> None:
        self.lines: list[Line] = []
        self._file = file

    def add(self, line: Line) -> Line:
        """Keep a line, print it in short, append it to the file."""
        line["at"] = time.strftime("%H:%M:%S")
        self.lines.append(line)
        print(short(line), flush=True)
        if self._file is not None:
            with self._file.open("a") as out:
                out.write(json.dumps(line) + "\n")
        return line


def read(files: Sequence[Path]) -> list[Line]:
    """Read what records wrote."""
    return [json.loads(text) for file in files for text in file.read_text().splitlines() if text.strip()]


def short(line: Line) -> str:
    """Return a line for people who watch."""
    shown = ("p50_ms", "p99_ms", "rate_per_s", "cpu_ms", "value", "unit", "errors")
    words = [f"{name}={line[name]}" for name in shown if line.get(name) not in (None, "")]
    clients = f" x{line['clients']}" if line.get("clients") else ""
    return f"{line['side']:>10}  {line['scenario']}{clients}  {' '.join(words)}"


class Watch:
    """Measures a stretch of time: CPU of what stands behind a target, of the driver, of everybody else."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._cpu = watching.cpu_seconds(target.watch)
        self._own, self._all = watching.own_seconds(), watching.machine_seconds()
        self.began = time.monotonic()

    def line(self, scenario: str, count: int, **more: Any) -> Line:
        """Return the line of what was done since: ``count`` operations."""
        span = time.monotonic() - self.began
        after = watching.cpu_seconds(self._target.watch)
        cpu = {name: after[name] - before for name, before in self._cpu.items()}
        own, machine = watching.own_seconds() - self._own, watching.machine_seconds() - self._all
        others = max(0.0, machine - own - sum(cpu.values()))
        each = 1000 / max(1, count)
        return {
            "scenario": scenario,
            "side": self._target.name,
            "n": count,
            **{k: round(v, 3) if isinstance(v, float) else v for k, v in more.items()},
            "cpu_ms": round(sum(cpu.values()) * each, 3),
            "cpu_ms_by": {name: round(value * each, 3) for name, value in cpu.items()},
            "seconds": round(span, 2),
            "driver_cpu_s": round(own, 2),
            "others_percent": round(100 * others / span / (os.cpu_count() or 1), 1),
        }
