"""A host or node that the request names; put into the pipeline by the pipeline itself, not by options."""

from __future__ import annotations

import numpy as np

from nova.objects.ids import HostName, NodeName
from nova.scheduler.columns import Mask, Rows, Test
from nova.scheduler.filters.base import Filter
from nova.scheduler.host_table import HostTable
from nova.scheduler.question import Question


class ForcedHost(Filter):
    """Passes only the forced host and node; it stands alone, all other filters are skipped."""

    def test(self, question: Question) -> Test | None:
        request = question.request
        allowed = _named(question.table, request.forced_host, request.forced_node)
        return lambda rows: allowed[rows]

    def reason(self, question: Question, fell: Rows) -> str:
        return _reason(question.table, question.request.forced_host, question.request.forced_node)


class RequestedHost(Filter):
    """Passes only the requested host and node; the other filters come after it."""

    def test(self, question: Question) -> Test | None:
        request = question.request
        allowed = _named(question.table, request.requested_host, request.requested_node)
        return lambda rows: allowed[rows]

    def reason(self, question: Question, fell: Rows) -> str:
        return _reason(question.table, question.request.requested_host, question.request.requested_node)


def _named(table: HostTable, host: HostName | None, node: NodeName | None) -> Mask:
    mask = np.ones(len(table), np.bool_) if host is None else table.mask_of([host])
    if node is not None:
        mask &= np.fromiter((n == node for n in table.nodes), np.bool_, len(table))
    return mask


def _reason(table: HostTable, host: HostName | None, node: NodeName | None) -> str:
    what = f"node {node}" + (f" of host {host}" if host else "") if node else f"host {host}"
    known = bool(_named(table, host, node).any())
    return f"{what} was asked" if known else f"{what} was asked and is not known"
