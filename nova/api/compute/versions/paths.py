"""Walking documents and schemas by a path such as ``servers[].flavor.links``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

StepDown = Callable[[Any], None]

ITEMS = "[]"


def split(path: str) -> list[str]:
    """Return the steps of a path; a pattern in angle brackets is one step, whatever is in it."""
    steps: list[str] = []
    rest = path
    while rest:
        if rest.startswith(ITEMS):
            steps.append(ITEMS)
            rest = rest[2:]
        elif rest.startswith("<"):
            end = rest.index(">")
            steps.append(rest[: end + 1])
            rest = rest[end + 1 :]
        else:
            stops = [place for place in (rest.find("."), rest.find(ITEMS)) if place >= 0]
            end = min(stops, default=len(rest))
            steps.append(rest[:end])
            rest = rest[end:]
        rest = rest.removeprefix(".")
    return steps


def locate(schema: Any, steps: Sequence[str]) -> Iterator[tuple[dict[str, Any], str, str]]:
    """Yield ``(parent schema, "properties" or "patternProperties", key)`` of each place a path names.

    The group is empty where the path ends in ``[]``.
    Alternatives (``oneOf``, ``anyOf``, ``allOf``) are walked where they have what the path asks for.
    The last step need not exist yet.
    """
    if not isinstance(schema, dict):
        return
    step, rest = steps[0], steps[1:]
    alternatives = [alt for word in ("oneOf", "anyOf", "allOf") for alt in schema.get(word, ())]
    if step == ITEMS:
        if "items" in schema and not rest:
            yield schema, "", "items"
        elif "items" in schema:
            yield from locate(schema["items"], rest)
        else:
            for alternative in alternatives:
                yield from locate(alternative, steps)
        return
    group = "patternProperties" if step.startswith("<") else "properties"
    key = step[1:-1] if step.startswith("<") else step
    if rest:
        if key in schema.get(group, {}):
            yield from locate(schema[group][key], rest)
        else:
            for alternative in alternatives:
                yield from locate(alternative, steps)
    elif group in schema or not alternatives:
        yield schema, group, key
    else:
        for alternative in alternatives:
            if group in alternative:
                yield alternative, group, key


class _Node:
    """What is to be done to one object of an answer, and to what is below it."""

    __slots__ = ("children", "drops", "every_item", "every_key", "touches")

    def __init__(self) -> None:
        self.touches: list[Callable[[Any], None]] = []
        self.drops: list[str] = []
        self.children: dict[str, _Node] = {}
        self.every_item: _Node | None = None
        self.every_key: _Node | None = None

    def child(self, step: str) -> _Node:
        if step == ITEMS:
            self.every_item = self.every_item or _Node()
            return self.every_item
        if step.startswith("<"):
            self.every_key = self.every_key or _Node()
            return self.every_key
        return self.children.setdefault(step, _Node())


def compile_step_down(
    touches: Sequence[tuple[str, Callable[[Any], None]]], drops: Sequence[str]
) -> StepDown | None:
    """Make one function of functions at paths (applied first, in order) and paths to take out.

    The result changes the document in place, visits each object once, and may run twice.
    """
    if not touches and not drops:
        return None
    root = _Node()
    for path, touch in touches:
        node = root
        for step in split(path):
            node = node.child(step)
        node.touches.append(touch)
    for path in drops:
        node = root
        *way, last = split(path)
        for step in way:
            node = node.child(step)
        node.drops.append(last)
    return _compiled(root)


def _compiled(node: _Node) -> StepDown:
    touches, drops = tuple(node.touches), tuple(node.drops)
    children = tuple((key, _compiled(child)) for key, child in node.children.items())
    every_item = _compiled(node.every_item) if node.every_item else None
    every_key = _compiled(node.every_key) if node.every_key else None

    def run(document: Any) -> None:
        if type(document) is list:
            if every_item is not None:
                for item in document:
                    every_item(item)
            return
        if type(document) is not dict:
            return
        for touch in touches:
            touch(document)
        for key, child in children:
            below = document.get(key)
            if below:
                child(below)
        for key in drops:
            document.pop(key, None)
        if every_key is not None:
            for below in document.values():
                every_key(below)

    return run
