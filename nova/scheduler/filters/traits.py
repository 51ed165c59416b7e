"""Traits that a flavor or image wants of a host."""

from __future__ import annotations

from nova.scheduler.columns import Rows, Test
from nova.scheduler.filters.base import Filter, words
from nova.scheduler.question import Question


class TraitsFilter(Filter):
    """Passes hosts with every trait that is ``required`` and none that is ``forbidden``.

    Both stand in extra specs and image properties as ``trait:<NAME>=required``.
    """

    def test(self, question: Question) -> Test | None:
        required, forbidden = _asked(question)
        if not required and not forbidden:
            return None
        return question.table.traits.test(
            lambda traits: required <= set(traits) and not forbidden & set(traits)
        )

    def reason(self, question: Question, fell: Rows) -> str:
        required, forbidden = _asked(question)
        wishes = [f"{t} is required" for t in sorted(required)] + [
            f"{t} forbidden" for t in sorted(forbidden)
        ]
        return words(wishes).replace(" or ", " and ")


def _asked(question: Question) -> tuple[set[str], set[str]]:
    required: set[str] = set()
    forbidden: set[str] = set()
    for source in (question.request.flavor.extra_specs, question.image_properties()):
        for key, value in source.items():
            if key.startswith("trait:"):
                (required if value == "required" else forbidden).add(key.removeprefix("trait:"))
    return required, forbidden
