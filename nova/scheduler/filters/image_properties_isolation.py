"""Aggregates whose metadata speak of image properties."""

from __future__ import annotations

from nova.objects.ids import AggregateId
from nova.scheduler.columns import Rows, Test
from nova.scheduler.filters.base import Filter
from nova.scheduler.question import Question


class AggregateImagePropertiesIsolation(Filter):
    """Leaves out hosts whose aggregates give another value to a property that the image has.

    With ``aggregate_image_properties_isolation_namespace`` only metadata keys of that namespace count; the
    property has the same name, namespace included.
    """

    def test(self, question: Question) -> Test | None:
        table, properties = question.table, question.image_properties()
        if not properties:
            return None
        namespace = self.options.aggregate_image_properties_isolation_namespace
        head = namespace + self.options.aggregate_image_properties_isolation_separator if namespace else ""

        def passes(members: tuple[AggregateId, ...]) -> bool:
            for key, texts in table.metadata(members).items():
                if not key.startswith(head) or key not in properties:
                    continue
                allowed = {v.strip() for text in texts for v in text.split(",")}
                if str(properties[key]) not in allowed:
                    return False
            return True

        return table.memberships.test(passes)

    def reason(self, question: Question, fell: Rows) -> str:
        return "their aggregates are for images with other properties"
