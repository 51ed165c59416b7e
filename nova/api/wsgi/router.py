"""From method and path to operations: Routes defines the map, a tree of path segments answers from it.

Matching against Routes' list costs a regular expression per route; the tree is compiled from that list once
and answers in a few dictionary look-ups.  A test holds both to the same answers.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import routes

from nova.api.wsgi.operation import Operation

Found = tuple["Target", dict[str, str]]


class Target:
    """What a method on a path leads to: operations without action, and those by action name."""

    __slots__ = ("actions", "plain")

    def __init__(self) -> None:
        self.plain: list[Operation] = []
        self.actions: dict[str, list[Operation]] = {}

    def add(self, operation: Operation) -> None:
        """Add an operation; several may share a place if they live in different versions."""
        if operation.action is None:
            self.plain.append(operation)
        else:
            self.actions.setdefault(operation.action, []).append(operation)


class _Node:
    __slots__ = ("literals", "targets", "variable")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.variable: tuple[_Node, ...] = ()
        self.targets: dict[str, tuple[Target, tuple[str, ...]]] = {}


class Router:
    """The map of all operations below a version prefix."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self._targets: dict[str, Target] = {}
        self._firsts: list[Operation] = []
        for operation in sorted(operations, key=_literals_first):
            place = _place(operation)
            if place not in self._targets:
                self._targets[place] = Target()
                self._firsts.append(operation)
            self._targets[place].add(operation)
        self._root = self._compile(self._map())

    def _map(self) -> routes.Mapper:
        """Make Routes' list: one route a place.  Its expressions are compiled by those who match with it."""
        mapper = routes.Mapper(explicit=True, register=False, controller_scan=None)
        mapper.minimization = False
        for operation in self._firsts:
            place = _place(operation)
            mapper.connect(
                place,
                operation.path,
                controller=place,
                action="dispatch",
                conditions={"method": [operation.method]},
                requirements=dict.fromkeys(operation.variables, "[^/]+"),
            )
        return mapper

    @functools.cached_property
    def _mapper(self) -> routes.Mapper:
        """Routes' list ready to match: some hundred compiled expressions, which no daemon needs."""
        mapper = self._map()
        mapper.create_regs()
        return mapper

    def match(self, method: str, path: str) -> Found | None:
        """Return the target and path variables of a request, or nothing.  ``path`` starts with a slash."""
        segments = path.split("/")[1:]
        values: list[str] = []
        found = self._walk(self._root, segments, 0, values, method)
        if found is None:
            return None
        target, names = found
        return target, dict(zip(names, values, strict=True))

    def match_by_routes(self, method: str, path: str) -> Found | None:
        """Return the same, asked of Routes itself (for tests and doubts)."""
        result = self._mapper.match(path, {"REQUEST_METHOD": method})
        if result is None:
            return None
        values = {key: value for key, value in result.items() if key not in ("controller", "action")}
        return self._targets[result["controller"]], values

    def _walk(
        self, node: _Node, segments: list[str], at: int, values: list[str], method: str
    ) -> tuple[Target, tuple[str, ...]] | None:
        if at == len(segments):
            return node.targets.get(method)
        segment = segments[at]
        literal = node.literals.get(segment)
        if literal is not None:
            found = self._walk(literal, segments, at + 1, values, method)
            if found is not None:
                return found
        if segment:
            for below in node.variable:
                values.append(segment)
                found = self._walk(below, segments, at + 1, values, method)
                if found is not None:
                    return found
                values.pop()
        return None

    def _compile(self, mapper: routes.Mapper) -> _Node:
        """Make the tree from Routes' own list."""
        root = _Node()
        for route in mapper.matchlist:
            node = root
            names: list[str] = []
            for segment in _segments(route):
                if isinstance(segment, str):
                    node = node.literals.setdefault(segment, _Node())
                else:
                    names.append(segment[0])
                    if not node.variable:
                        node.variable = (_Node(),)
                    node = node.variable[0]
            place = route.defaults["controller"]
            method = place.partition(" ")[0]
            node.targets.setdefault(method, (self._targets[place], tuple(names)))
        return root


def _place(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


def _literals_first(operation: Operation) -> tuple[bool, ...]:
    return tuple(segment.startswith("{") for segment in operation.path.split("/"))


def _segments(route: Any) -> list[str | tuple[str]]:
    """Return the segments of a Routes route: text, or a one-tuple with a variable's name."""
    parts: list[str | tuple[str]] = []
    for segment in route.routepath.lstrip("/").split("/"):
        if segment.startswith("{") and segment.endswith("}"):
            parts.append((segment[1:-1].partition(":")[0],))
        else:
            parts.append(segment)
    return parts
