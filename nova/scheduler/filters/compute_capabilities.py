"""Extra specs against what a host says of itself."""

from __future__ import annotations

import numpy as np

from nova.scheduler import facts
from nova.scheduler.columns import Mask, Rows, Test
from nova.scheduler.filters.base import Filter
from nova.scheduler.question import Question
from nova.scheduler.spec_match import matches


class ComputeCapabilitiesFilter(Filter):
    """Passes hosts that match every extra spec ``capabilities:<fact>`` and every one without a scope.

    Facts are listed in :mod:`nova.scheduler.facts`; a host without the fact does not match.
    """

    def test(self, question: Question) -> Test | None:
        specs = question.scoped_specs("capabilities", bare=True)
        if not specs:
            return None
        tests = [_test_one(question, key, wanted) for key, wanted in specs.items()]

        def passes(rows: Rows) -> Mask:
            mask = tests[0](rows)
            for test in tests[1:]:
                mask &= test(rows)
            return mask

        return passes

    def reason(self, question: Question, fell: Rows) -> str:
        specs = question.scoped_specs("capabilities", bare=True)
        near = []
        for key, wanted in sorted(specs.items()):
            missing = fell[~_test_one(question, key, wanted)(fell)] if not isinstance(fell, slice) else fell
            if not isinstance(missing, slice) and len(missing):
                have = facts.value(question.table, int(missing[0]), key.split(":"))
                near.append(f"{key} is {'unknown' if have is None else have}, {wanted} was asked")
        return "of one of them " + "; ".join(near) if near else ""


def _test_one(question: Question, key: str, wanted: str) -> Test:
    table, path = question.table, key.split(":")
    shared = facts.shared(table, path[0])
    if shared is not None:
        column, read = shared
        return column.test(lambda v: _matches(facts.follow(read(v), path[1:]), wanted))
    if facts.column(table, path[0]) is None or len(path) > 1:
        return lambda rows: np.zeros(len(table), np.bool_)[rows]

    def passes(rows: Rows) -> Mask:
        values = facts.column(table, path[0])
        assert values is not None
        different, inverse = np.unique(values[rows], return_inverse=True)
        verdicts = (_matches(v, wanted) for v in different.tolist())
        mask: Mask = np.fromiter(verdicts, np.bool_, len(different))[inverse]
        return mask

    return passes


def _matches(value: object, wanted: str) -> bool:
    return value is not None and matches(value, wanted)
