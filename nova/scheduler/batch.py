"""What the decisions of one batch took of the table, until it is given back."""

from __future__ import annotations

from typing import NamedTuple

from nova.objects.ids import GroupId
from nova.scheduler.host_table import HostTable
from nova.scheduler.question import Question


class Taken(NamedTuple):
    """One instance counted against a row."""

    question: Question
    row: int


class Batch:
    """Counts decisions against hosts and server groups, so that later ones of the batch see them."""

    def __init__(self, table: HostTable) -> None:
        self.table = table
        self.taken: list[Taken] = []
        self._questions: dict[GroupId, list[Question]] = {}

    def meet(self, question: Question) -> None:
        """Let a question know the members that its group got in this batch, from now on too."""
        group = question.request.group
        if group is None:
            return
        met = self._questions.setdefault(group.id, [])
        if any(q is question for q in met):
            return
        met.append(question)
        for taken in self.taken:
            if _group(taken.question) == group.id:
                self._add_member(question, taken.row, 1)

    def take(self, question: Question, row: int) -> None:
        """Count one instance against a row."""
        self.table.consume(row, question.load)
        self.taken.append(Taken(question, row))
        self._tell(question, row, 1)

    def undo(self, keep: int = 0) -> None:
        """Give back all but the first ``keep``."""
        while len(self.taken) > keep:
            question, row = self.taken.pop()
            self.table.consume(row, question.load, -1)
            self._tell(question, row, -1)

    def _tell(self, question: Question, row: int, count: int) -> None:
        group = _group(question)
        for other in self._questions.get(group, ()) if group is not None else ():
            self._add_member(other, row, count)

    def _add_member(self, question: Question, row: int, count: int) -> None:
        for changed in question.add_members(self.table.hosts[row], count):
            self.table.touch(changed)


def _group(question: Question) -> GroupId | None:
    group = question.request.group
    return None if group is None else group.id
