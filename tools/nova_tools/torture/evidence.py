"""What the logs say about something that was broken."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

MOST_LINES = 14
_LONGEST = 400
_ID = re.compile(r"req-[0-9a-f-]{36}|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}")


def excerpts(logs: Path, sentences: Iterable[str], most: int = MOST_LINES) -> dict[str, list[str]]:
    """Return for each sentence the lines of all logs that name a request or server it names, by time.

    Of many the first and the last are kept.  A sentence that names none has none.
    """
    wanted = {sentence: _ids(sentence) for sentence in sentences}
    every = {name for names in wanted.values() for name in names}
    lines: dict[str, list[str]] = {name: [] for name in every}
    for log in sorted(logs.glob("*.log")) if every else ():
        with log.open(errors="replace") as source:
            for line in source:
                for name in every.intersection(_ID.findall(line)):
                    lines[name].append(f"{log.stem}: {line.rstrip()[:_LONGEST]}")
    return {sentence: _fewer(lines, names, most) for sentence, names in wanted.items()}


def _ids(sentence: str) -> list[str]:
    """The request where there is one: all that happened to a server is too much."""
    found = _ID.findall(sentence)
    requests = [name for name in found if name.startswith("req-")]
    return requests or found


def _fewer(lines: dict[str, list[str]], names: list[str], most: int) -> list[str]:
    found = sorted({line for name in names for line in lines[name]}, key=_moment)
    if len(found) <= most:
        return found
    first = most // 3
    return [*found[:first], f"({len(found) - most} lines left out)", *found[first - most :]]


def _moment(line: str) -> str:
    stamp = _STAMP.search(line)
    return stamp.group() if stamp else ""
