"""Soft policies of server groups."""

from __future__ import annotations

import numpy as np

from nova.scheduler.columns import Ints, Rows
from nova.scheduler.question import SOFT_AFFINITY, SOFT_ANTI_AFFINITY, Question
from nova.scheduler.weighers.base import Weigher


class ServerGroupSoftAffinityWeigher(Weigher):
    """Prefers hosts with more members of the group."""

    multiplier = "soft_affinity_weight_multiplier"

    def applies(self, question: Question) -> bool:
        return question.policy() == SOFT_AFFINITY

    def weigh(self, question: Question, rows: Rows) -> Ints:
        return _members(question, rows)


class ServerGroupSoftAntiAffinityWeigher(Weigher):
    """Prefers hosts with fewer members of the group."""

    multiplier = "soft_anti_affinity_weight_multiplier"

    def applies(self, question: Question) -> bool:
        return question.policy() == SOFT_ANTI_AFFINITY

    def weigh(self, question: Question, rows: Rows) -> Ints:
        return -_members(question, rows)


def _members(question: Question, rows: Rows) -> Ints:
    members = question.members
    return np.zeros(len(question.table), np.int64)[rows] if members is None else members[rows]
