"""Hint ``query``: a condition on facts of hosts, as JSON.

``[">=", "$free_ram_mb", 1024]``; the operators are ``= < > <= >= in not and or``, text that begins with ``$``
names a fact (:mod:`nova.scheduler.facts`, parts after dots).
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from nova.scheduler import facts
from nova.scheduler.columns import Mask, Rows, Test
from nova.scheduler.filters.base import Filter
from nova.scheduler.host_table import HostTable
from nova.scheduler.question import Question

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_MAX_DEPTH = 20


class JsonFilter(Filter):
    """Passes hosts for which the query holds; a query that cannot be read holds for none."""

    def test(self, question: Question) -> Test | None:
        texts = question.request.hints.get("query")
        if not texts:
            return None
        try:
            queries = [msgspec.json.decode(text) for text in texts]
        except (msgspec.DecodeError, RecursionError):
            return lambda rows: np.zeros(len(question.table), np.bool_)[rows]
        table = question.table

        def passes(rows: Rows) -> Mask:
            numbers = np.arange(len(table))[rows].tolist()
            verdicts = (all(_holds(query, table, row) for query in queries) for row in numbers)
            return np.fromiter(verdicts, np.bool_, len(numbers))

        return passes

    def reason(self, question: Question, fell: Rows) -> str:
        return f"the query {' '.join(question.request.hints.get('query', ()))} does not hold for them"


def _holds(query: object, table: HostTable, row: int) -> bool:
    return _evaluate(query, table, row, 0) is True


def _evaluate(term: object, table: HostTable, row: int, depth: int) -> object:
    """Return the value of a term; none when it has none, which makes every comparison with it false."""
    if isinstance(term, str) and term.startswith("$"):
        return facts.value(table, row, term[1:].split("."))
    if not isinstance(term, list):
        return term
    if not term or depth > _MAX_DEPTH:
        return None
    sign, *rest = term
    values = [_evaluate(item, table, row, depth + 1) for item in rest]
    if sign == "not":
        return not any(v is True for v in values)
    if sign == "and":
        return bool(values) and all(v is True for v in values)
    if sign == "or":
        return any(v is True for v in values)
    if sign == "in":
        return len(values) > 1 and values[0] is not None and values[0] in values[1:]
    if sign in _COMPARISONS:
        return len(values) > 1 and all(_compare(_COMPARISONS[sign], values[0], v) for v in values[1:])
    return None


def _compare(compare: Callable[[Any, Any], bool], left: object, right: object) -> bool:
    if left is None or right is None:
        return False
    try:
        return bool(compare(left, right))
    except TypeError:
        return False
