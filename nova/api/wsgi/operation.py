"""An operation of the API says everything about itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from nova.policy.rules import ANYONE, Rule

Json = dict[str, Any]
_VARIABLE = re.compile(r"\{(\w+)\}")


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a client can ask: method and path (or action), who may, what goes in and what comes out.

    ``handler(req, **path variables)`` returns a value; ``view(req, value)`` turns it into the newest
    document (without a view the value is the document; ``None`` sends no body).  ``body`` and ``query`` are
    JSON schemas of the newest version.  The versions in which the operation exists come from the history
    (``nova.api.compute.versions``) under the operation's ``name`` or, for a twin of another one, ``history``.
    """

    name: str
    method: str
    path: str
    handler: Callable[..., Any]
    policy: Rule | None
    """The gate, asked with the caller's own project as target before the handler runs; none: anyone."""
    success: int = 200
    view: Callable[[Any, Any], Any] | None = None
    body: Json | None = None
    query: Json | None = None
    action: str | None = None
    """Name of the one top key of the body, for ``POST /servers/{id}/action`` and its like."""
    since: str | None = None
    until: str | None = None
    """Bounds of operations that the history does not know; both inclusive."""
    gone: bool = False
    """Answers 410 at every version."""
    history: str | None = None
    rules: tuple[Rule, ...] = ()
    """Further rules that the handler or view asks."""
    reads_body: bool = True
    """Whether a body is decoded at all (methods other than POST, PUT and PATCH never are)."""
    summary: str = ""
    own_project: bool = True
    """Ask the gate with the caller's own project; false when the handler calls ``req.authorize`` itself."""

    @property
    def variables(self) -> tuple[str, ...]:
        """Return the names of the path variables."""
        return tuple(_VARIABLE.findall(self.path))

    @property
    def story(self) -> str:
        """Return the name under which the history knows this operation."""
        return self.history or self.name

    @property
    def explanation(self) -> str:
        """Return one sentence on what it does."""
        if self.summary:
            return self.summary
        text = (self.handler.__doc__ or "").strip()
        return text.partition("\n")[0]


def removed(name: str, method: str, path: str, action: str | None = None) -> Operation:
    """Return an operation that answers 410 at every version."""
    return Operation(
        name=name,
        method=method,
        path=path,
        action=action,
        handler=_nothing,
        policy=None,
        gone=True,
        query=None,
    )


def _nothing(req: Any, **variables: str) -> None:
    """Answer 410: taken out of the API."""


def rules_of(operations: tuple[Operation, ...]) -> tuple[Rule, ...]:
    """Return every rule that operations name, each with the operations it guards."""
    found: dict[str, Rule] = {}
    for operation in operations:
        for rule in (*((operation.policy,) if operation.policy else ()), *operation.rules):
            known = found.get(rule.name, rule)
            if known.check != rule.check:
                raise ValueError(f"policy rule {rule.name} has two defaults")
            path = operation.path + (f" ({operation.action})" if operation.action else "")
            pairs = tuple(dict.fromkeys((*known.operations, (operation.method, path))))
            found[rule.name] = Rule(rule.name, rule.check, rule.description or known.description, pairs)
    return tuple(found.values())


__all__ = ["ANYONE", "Json", "Operation", "Rule", "removed", "rules_of"]
