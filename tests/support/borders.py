"""Things that change from microversion to microversion, as golden files that say what changes where.

A file maps a name to ``{version: {"+": [...], "-": [...]}}``: which lines come and go at that version, the
first one against nothing.  ``NOVA_REGOLDEN=1`` writes files anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from nova.api.wsgi.version import Version

GOLDEN = Path(__file__).parents[1] / "golden" / "api"
Lines = frozenset[str]
Borders = dict[str, dict[str, list[str]]]


def lines_of(document: Any, path: str = "") -> Iterator[str]:
    """Yield one line for each place of a document: its path and the JSON type that stands there."""
    if isinstance(document, dict):
        yield f"{path} object"
        for key, value in document.items():
            yield from lines_of(value, f"{path}.{key}" if path else key)
    elif isinstance(document, list):
        yield f"{path} list"
        for item in document:
            yield from lines_of(item, f"{path}[]")
    else:
        names = {bool: "bool", int: "int", float: "float", str: "str", type(None): "null"}
        yield f"{path} {names[type(document)]}"


def folded(borders: Borders, version: Version) -> Lines:
    """Return the lines in force at a version."""
    lines: set[str] = set()
    for border, change in borders.items():
        if Version.parse(border) <= version:
            lines = (lines | set(change["+"])) - set(change["-"])
    return frozenset(lines)


def unfolded(found: dict[Version, Lines]) -> Borders:
    """Return what changes where."""
    borders: Borders = {}
    before: Lines = frozenset()
    for version, lines in sorted(found.items()):
        if lines != before or not borders:
            borders[str(version)] = {"+": sorted(lines - before), "-": sorted(before - lines)}
            before = lines
    return borders


class GoldenBorders:
    """One golden file."""

    def __init__(self, name: str) -> None:
        self._path = GOLDEN / f"{name}.json"
        self.anew = bool(os.environ.get("NOVA_REGOLDEN"))
        self._known: dict[str, Borders] = json.loads(self._path.read_text()) if self._path.exists() else {}

    @property
    def names(self) -> set[str]:
        """Return the names the file knows."""
        return set(self._known)

    def check(self, name: str, versions: Iterable[Version], ask: Callable[[Version], Iterable[str]]) -> None:
        """Compare what ``ask`` tells at versions, and on both sides of every border the file knows."""
        everything = list(versions)
        if self.anew:
            self._known[name] = unfolded({version: frozenset(ask(version)) for version in everything})
            text = json.dumps(dict(sorted(self._known.items())), indent=1, ensure_ascii=False)
            self._path.write_text(text + "\n")
            return
        borders = self._known[name]
        places = [Version.parse(border) for border in borders]
        wanted = {everything[0], everything[-1], *places}
        wanted |= {Version(v.major, v.minor - 1) for v in places}
        for version in sorted(wanted & set(everything)):
            found, known = frozenset(ask(version)), folded(borders, version)
            assert found == known, {
                "what": name,
                "version": str(version),
                "came": sorted(found - known),
                "went": sorted(known - found),
            }
