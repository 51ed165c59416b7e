"""What a microversion is made of, and the history that many of them make.

Handlers, views and schemas know the newest version only.  A :class:`Change` says what its version brought;
:class:`History` folds the changes *downwards*: schemas are turned back, answers are stepped down, and request
bodies are lifted up.  Everything is compiled once per (operation, version) and then kept.

Paths: ``server.networks[].tag`` names a key below a key, ``[]`` every item of a list, ``<*>`` every key of an
object, ``<regex>`` (schemas only) a pattern property; the empty path is the whole document.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from nova.api.compute.versions.paths import StepDown, compile_step_down, locate, split
from nova.api.wsgi.version import Version

Json = dict[str, Any]
Lift = Callable[[Json], Json]
Touch = Callable[[Any], None]
Paths = tuple[str, ...]


class Was(msgspec.Struct, frozen=True):
    """What stood at a place of a schema below a version."""

    schema: Any
    required: bool = False


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One microversion: what it added, dropped and altered, seen from the version before it.

    ``alters_*`` and ``drops_*`` hold what stood there *below* this version.  ``lift`` turns a body of the
    version below into one of this version; ``step_down`` touches the object at a path of an answer in place
    so that it fits the version below.  Views render the union of all versions: a path in ``drops_response``
    is taken out from this version on, one in ``adds_response`` is taken out below it.
    """

    version: str
    summary: str
    features: Paths = ()
    adds_operations: Paths = ()
    ends_operations: Paths = ()
    adds_request: Mapping[str, Paths] = {}
    drops_request: Mapping[str, Mapping[str, Was]] = {}
    alters_request: Mapping[str, Mapping[str, Was]] = {}
    adds_query: Mapping[str, Paths] = {}
    drops_query: Mapping[str, Mapping[str, Was]] = {}
    alters_query: Mapping[str, Mapping[str, Was]] = {}
    closes_query: Paths = ()
    adds_response: Mapping[str, Paths] = {}
    drops_response: Mapping[str, Paths] = {}
    success: Mapping[str, int] = {}
    lift: Mapping[str, Lift] = {}
    step_down: Mapping[str, Mapping[str, Touch]] = {}

    @property
    def number(self) -> Version:
        """Return the version as a comparable pair."""
        return Version.parse(self.version)


class History:
    """All changes in order; answers what an operation looked like at any version."""

    def __init__(self, changes: Sequence[Change], oldest: Version) -> None:
        self.changes = tuple(changes)
        self._numbers = tuple(change.number for change in self.changes)
        if list(self._numbers) != sorted(set(self._numbers)):
            raise ValueError("changes must come in ascending order, one for each version")
        self.oldest: Version = oldest
        self.newest: Version = self._numbers[-1] if self._numbers else oldest
        self.features: dict[str, Version] = {}
        for change, number in zip(self.changes, self._numbers, strict=True):
            for feature in change.features:
                if feature in self.features:
                    raise ValueError(f"feature {feature} is declared twice")
                self.features[feature] = number

    def _above(self, version: Version) -> list[Change]:
        """Return the changes that come after a version, newest first."""
        return [
            c for c, n in zip(reversed(self.changes), reversed(self._numbers), strict=True) if n > version
        ]

    def lifetime(self, name: str) -> tuple[Version, Version | None]:
        """Return the first version that has the operation, and the last one (or none while it lives)."""
        since, until = self.oldest, None
        before = self.oldest
        for change, number in zip(self.changes, self._numbers, strict=True):
            if name in change.adds_operations:
                since = number
            if name in change.ends_operations:
                until = before
            before = number
        return since, until

    def body_schema(self, name: str, newest: Json | None, version: Version) -> Json | None:
        """Return the schema of a request body at a version; none where anything passes."""
        schema = newest
        for change in self._above(version):
            schema = _fold(
                schema,
                change.adds_request.get(name, ()),
                change.drops_request.get(name, {}),
                change.alters_request.get(name, {}),
            )
        return schema

    def query_schema(self, name: str, newest: Json | None, version: Version) -> Json | None:
        """Return the schema of a query string (key to list of values) at a version."""
        schema = newest
        for change in self._above(version):
            schema = _fold(
                schema,
                change.adds_query.get(name, ()),
                change.drops_query.get(name, {}),
                change.alters_query.get(name, {}),
            )
            if schema is not None and name in change.closes_query:
                schema = {**schema, "additionalProperties": True}
        return schema

    def lifts(self, name: str, version: Version) -> tuple[Lift, ...]:
        """Return what turns a body of a version into one of the newest, in the order to apply."""
        found = [c.lift[name] for c in self._above(version) if name in c.lift]
        return tuple(reversed(found))

    def success(self, name: str, newest: int, version: Version) -> int:
        """Return the status code of a successful answer at a version."""
        code = newest
        for change in self._above(version):
            code = change.success.get(name, code)
        return code

    def step_down(self, name: str, version: Version) -> StepDown | None:
        """Return what turns an answer of the newest view into one of a version; none if nothing does."""
        touches = [
            (path, touch)
            for change in self._above(version)
            for path, touch in change.step_down.get(name, {}).items()
        ]
        return compile_step_down(touches, self._hidden(name, version))

    def _hidden(self, name: str, version: Version) -> list[str]:
        """Return the paths of the union view that a version does not show."""
        shown: dict[str, bool] = {}
        for change, number in zip(self.changes, self._numbers, strict=True):
            reached = number <= version
            for path in change.adds_response.get(name, ()):
                shown[path] = reached or shown.get(path, False)
            for path in change.drops_response.get(name, ()):
                shown[path] = shown.get(path, True) and not reached
        return [path for path, visible in shown.items() if not visible]


def _fold(
    schema: Json | None, adds: Paths, drops: Mapping[str, Was], alters: Mapping[str, Was]
) -> Json | None:
    """Turn a schema back over one change; the schema handed in is not touched."""
    if not adds and not drops and not alters:
        return schema
    folded: Any = copy.deepcopy(schema)
    for path in adds:
        if not path:
            folded = None
            continue
        for parent, group, key in locate(folded, split(path)):
            parent[group].pop(key, None)
            _require(parent, key, False)
    for path, was in [*drops.items(), *alters.items()]:
        if not path:
            folded = copy.deepcopy(was.schema)
            continue
        for parent, group, key in locate(folded, split(path)):
            holder = parent.setdefault(group, {}) if group else parent
            holder[key] = copy.deepcopy(was.schema)
            if group == "properties":
                _require(parent, key, was.required)
    return folded  # type: ignore[no-any-return]


def _require(parent: Json, key: str, required: bool) -> None:
    names = [name for name in parent.get("required", ()) if name != key]
    if required:
        names.append(key)
    if names:
        parent["required"] = names
    else:
        parent.pop("required", None)
