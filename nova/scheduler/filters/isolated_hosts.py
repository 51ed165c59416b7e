"""Hosts kept for some images."""

from __future__ import annotations

import numpy as np

from nova.objects.ids import HostName
from nova.scheduler.columns import Rows, Test
from nova.scheduler.filters.base import Filter
from nova.scheduler.question import Question


class IsolatedHostsFilter(Filter):
    """Keeps ``isolated_images`` on ``isolated_hosts``, and with the restricting option all others off."""

    def test(self, question: Question) -> Test | None:
        options = self.options
        if not options.isolated_hosts and not options.isolated_images:
            return None
        isolated = question.table.mask_of(HostName(h) for h in options.isolated_hosts)
        if self._is_isolated(question):
            allowed = isolated
        elif options.restrict_isolated_hosts_to_isolated_images:
            allowed = ~isolated
        else:
            allowed = np.ones(len(question.table), np.bool_)
        return lambda rows: allowed[rows]

    def reason(self, question: Question, fell: Rows) -> str:
        if self._is_isolated(question):
            return "the image may only run on isolated hosts"
        return "they are kept for isolated images"

    def _is_isolated(self, question: Question) -> bool:
        image = question.request.image
        return image is not None and image.id in self.options.isolated_images
