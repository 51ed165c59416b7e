"""An operation at one version, ready to run: compiled once, then kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from nova.api.wsgi.operation import Operation
from nova.api.wsgi.schema import Check, Checks, drop_unknown
from nova.api.wsgi.version import LEGACY, Version

Json = dict[str, Any]
Lift = Callable[[Json], Json]
StepDown = Callable[[Any], None]

_UNCHECKED_QUERY: frozenset[str] = frozenset()


class Versions(Protocol):
    """A history of versions: what an operation looked like at any of them."""

    @property
    def oldest(self) -> Version:
        """The first version."""
        ...

    @property
    def newest(self) -> Version:
        """The version that operations are written in."""
        ...

    def lifetime(self, name: str) -> tuple[Version, Version | None]:
        """Return the first version that has an operation, and the last one."""
        ...

    def body_schema(self, name: str, newest: Json | None, version: Version) -> Json | None:
        """Return the schema of a request body at a version."""
        ...

    def query_schema(self, name: str, newest: Json | None, version: Version) -> Json | None:
        """Return the schema of a query string at a version."""
        ...

    def lifts(self, name: str, version: Version) -> tuple[Lift, ...]:
        """Return what turns a body of a version into one of the newest."""
        ...

    def step_down(self, name: str, version: Version) -> StepDown | None:
        """Return what turns an answer of the newest version into one of another."""
        ...

    def success(self, name: str, newest: int, version: Version) -> int:
        """Return the code of a successful answer at a version."""
        ...


class Edition:
    """What an operation takes and gives at one version."""

    __slots__ = (
        "_lifts",
        "_open_query",
        "_query_keys",
        "body_check",
        "code",
        "legacy_body",
        "query_check",
        "step_down",
    )

    def __init__(self, operation: Operation, version: Version, history: Versions, checks: Checks) -> None:
        story = operation.story
        body = history.body_schema(story, operation.body, version)
        query = history.query_schema(story, operation.query, version)
        self.body_check: Check | None = checks.of(body) if body is not None else None
        self.query_check: Check | None = checks.of(query) if query is not None else None
        self.legacy_body = body if version == LEGACY else None
        self._open_query = query is None or query.get("additionalProperties", True) is not False
        self._query_keys = frozenset(query.get("properties", ())) if query else _UNCHECKED_QUERY
        self._lifts: tuple[Lift, ...] = history.lifts(story, version)
        self.step_down: StepDown | None = history.step_down(story, version)
        self.code = history.success(story, operation.success, version)

    def checked_query(self, values: dict[str, list[str]]) -> dict[str, list[str]]:
        """Return the query with unknown keys dropped; raise 400 if it does not fit."""
        if self.query_check is not None:
            self.query_check.query(values)
            if values and self._open_query:
                return {key: value for key, value in values.items() if key in self._query_keys}
        return values

    def checked_body(self, body: Any) -> Any:
        """Return the body lifted to the newest version; raise 400 if it does not fit its own."""
        if self.legacy_body is not None:
            body = drop_unknown(self.legacy_body, body)
        if self.body_check is not None:
            self.body_check.body(body)
        for lift in self._lifts:
            body = lift(body)
        return body


class Editions:
    """All editions of all operations; made when first asked for."""

    def __init__(self, operations: Iterable[Operation], history: Versions) -> None:
        self.history = history
        self._checks = Checks()
        self._known: dict[tuple[str, Version], Edition] = {}
        self._lifetimes: dict[str, tuple[Version, Version | None]] = {}
        for operation in operations:
            if operation.name in self._lifetimes:
                raise ValueError(f"two operations are called {operation.name}")
            self._lifetimes[operation.name] = self._lifetime(operation)

    def lifetime(self, operation: Operation) -> tuple[Version, Version | None]:
        """Return the first and the last version (none while it lives) of an operation."""
        return self._lifetimes[operation.name]

    def alive(self, operation: Operation, version: Version) -> bool:
        """Tell whether an operation exists at a version (``/v2`` counts as the first one)."""
        since, until = self._lifetimes[operation.name]
        effective = max(version, self.history.oldest)
        return since <= effective and (until is None or effective <= until)

    def of(self, operation: Operation, version: Version) -> Edition:
        """Return an operation's edition at a version."""
        key = (operation.name, version)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = Edition(operation, version, self.history, self._checks)
        return found

    def _lifetime(self, operation: Operation) -> tuple[Version, Version | None]:
        """Return the narrowest of what the operation, its name and its story say."""
        lives = [self.history.lifetime(operation.name), self.history.lifetime(operation.story)]
        starts = [since for since, _ in lives]
        ends = [until for _, until in lives if until is not None]
        if operation.since:
            starts.append(Version.parse(operation.since))
        if operation.until:
            ends.append(Version.parse(operation.until))
        return max(starts), min(ends, default=None)
