"""How commands show lists: aligned for people, or as JSON for scripts."""

from __future__ import annotations

import argparse
import datetime
import json
from collections.abc import Mapping, Sequence

Row = Mapping[str, object]


def add_json(parser: argparse.ArgumentParser) -> None:
    """Let a command be asked for JSON."""
    parser.add_argument("--json", action="store_true", help="print JSON: a list of objects, times in UTC")


def show(args: argparse.Namespace, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Print rows: all they hold as JSON, or ``columns`` of them as a table."""
    if args.json:
        print(json.dumps([{key: _value(value) for key, value in row.items()} for row in rows], indent=1))
        return
    cells = [[_cell(row[name]) for name in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    for line in (columns, *cells):
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def _value(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime.datetime) else value


def _cell(value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, datetime.datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
