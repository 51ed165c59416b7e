"""Tables of results: medians over the rounds, ours beside theirs, and how many times better ours is."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tests.benchmarks.lines import Line


class Row(NamedTuple):
    """One line of the table: where its figure is found, and what the issue asks for."""

    title: str
    scenario: str
    clients: int | None
    figure: str
    """``p50_ms`` (less is better) or ``rate_per_s`` (more is)."""
    aim: str = ""


ROWS = (
    Row("show", "show", 1, "p50_ms", "10x CPU (40x)"),
    Row("show, 8 clients", "show", 8, "rate_per_s", "10x CPU (40x)"),
    Row("list of 1,000 in detail", "list_1000", 1, "p50_ms", "50x CPU, < 200 ms (200x)"),
    Row("list of 100, 4 clients", "list_100", 4, "rate_per_s", "40x (150x)"),
    Row("flavors in detail", "flavors", 1, "p50_ms", "5x CPU (15x)"),
    Row("create to ACTIVE, one at a time", "create", 1, "p50_ms", "6x, 15x CPU (20x, 50x)"),
    Row("creates from 16 clients", "create_burst", 16, "rate_per_s", "20x (60x)"),
    Row("the same on one host", "create_one_host", 16, "rate_per_s", "60x (200x)"),
    Row("many in one create", "create_at_once", 1, "rate_per_s", "30x (100x)"),
    Row("deletes from 16 clients", "delete_burst", 16, "rate_per_s", "15x (40x)"),
    Row("stops from 16 clients", "stop", 16, "rate_per_s", "6x (20x)"),
    Row("starts from 16 clients", "start", 16, "rate_per_s", "10x (20x)"),
    Row("show, 8 clients, p99", "tail_show", 8, "p99_ms"),
    Row("show, 32 clients, p99", "tail_show", 32, "p99_ms"),
    Row("list of 100, 8 clients, p99", "tail_list", 8, "p99_ms"),
    Row("list of 100, 32 clients, p99", "tail_list", 32, "p99_ms"),
)


def rst(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table in reStructuredText."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    rule = "  ".join("=" * width for width in widths)
    text = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in (head, *rows)]  # fmt: skip
    return "\n".join([rule, text[0], rule, *text[1:], rule])


def number(value: float | None, unit: str = "") -> str:
    """Write a number with three figures that count."""
    if value is None:
        return "-"
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{text} {unit}".strip()


def _median(lines: Sequence[Line], row: Row, side: str, figure: str) -> float | None:
    found = [
        line[figure]
        for line in lines
        if line["side"] == side
        and line["scenario"] == row.scenario
        and line.get("clients") == row.clients
        and line.get(figure) is not None
    ]
    return statistics.median(found) if found else None


def _times(better: float | None, worse: float | None) -> str:
    return f"{worse / better:.1f}x" if better and worse else "-"


def side_by_side(lines: Sequence[Line], ours: str = "ours", theirs: str = "peer") -> str:
    """Return the table of wall and CPU time with ratios (above 1x: ours is better)."""
    rows = []
    for row in ROWS:
        wall = [_median(lines, row, side, row.figure) for side in (theirs, ours)]
        cpu = [_median(lines, row, side, "cpu_ms") for side in (theirs, ours)]
        unit = "/s" if row.figure == "rate_per_s" else "ms"
        ratio = _times(wall[0], wall[1]) if unit == "/s" else _times(wall[1], wall[0])
        cells = [number(wall[0], unit), number(wall[1], unit), ratio]
        cells += [number(cpu[0]), number(cpu[1]), _times(cpu[1], cpu[0])]
        rows.append([row.title, *cells, row.aim])
    for title, value in _loose(lines, ours, theirs):
        rows.append([title, *value])
    head = [
        "scenario", "theirs", "ours", "better", "CPU ms theirs", "CPU ms ours", "better", "aim (reach)",
    ]  # fmt: skip
    return rst(head, rows)


def _loose(lines: Sequence[Line], ours: str, theirs: str) -> list[tuple[str, list[str]]]:
    """Return the rows that are one value a side."""
    found = []
    for scenario, title, aim in (
        ("idle", "idle", "0.03 cores"),
        ("memory", "memory in use (PSS) with the benchmark's servers", "1,000 MiB"),
    ):
        values = []
        for side in (theirs, ours):
            known = [x["value"] for x in lines if x["side"] == side and x["scenario"] == scenario]
            values.append(statistics.median(known) if known else None)
        unit = "cores" if scenario == "idle" else "MiB"
        cells = [number(values[0], unit), number(values[1], unit), _times(values[1], values[0])]
        found.append((title, [*cells, "", "", "", aim]))
    return found


def parties(lines: Sequence[Line], side: str) -> str:
    """Return who used the CPU: milliseconds an operation, by daemon."""
    mine = [line for line in lines if line["side"] == side and line.get("cpu_ms_by")]
    names = list(dict.fromkeys(name for line in mine for name in line["cpu_ms_by"]))
    rows = []
    for row in ROWS:
        own = [x for x in mine if x["scenario"] == row.scenario and x.get("clients") == row.clients]
        if own:
            cells = [statistics.median([x["cpu_ms_by"].get(name, 0) for x in own]) for name in names]
            rows.append([row.title, *(number(cell) for cell in cells)])
    return rst(["CPU ms an operation", *names], rows)


def values(lines: Sequence[Line], wanted: Callable[[Line], bool]) -> str:
    """Return the lines that are one value each, as a table."""
    rows = [[x["scenario"], number(x["value"]), x["unit"]] for x in lines if wanted(x) and "value" in x]
    return rst(["what", "value", "unit"], rows)


def percentiles(lines: Sequence[Line]) -> str:
    """Return every timed line of one side: percentiles, rate and CPU."""
    rows = []
    for line in lines:
        if "rate_per_s" in line:
            shown = [
                line.get(name) for name in ("p50_ms", "p95_ms", "p99_ms", "max_ms", "rate_per_s", "cpu_ms")
            ]
            clients = str(line.get("clients", ""))
            rows.append([line["scenario"], clients, *(number(cell) for cell in shown)])
    return rst(["scenario", "clients", "p50 ms", "p95 ms", "p99 ms", "max ms", "a second", "CPU ms"], rows)
