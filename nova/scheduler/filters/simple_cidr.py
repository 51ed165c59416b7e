"""Hints ``build_near_host_ip`` and ``cidr``."""

from __future__ import annotations

import ipaddress

import numpy as np

from nova.scheduler.columns import Mask, Rows, Test
from nova.scheduler.filters.base import Filter
from nova.scheduler.question import Question

_DEFAULT_CIDR = "/24"


class SimpleCIDRAffinityFilter(Filter):
    """Passes hosts whose address is in the network around the hinted one; an unreadable hint passes none."""

    def test(self, question: Question) -> Test | None:
        if not question.request.hints.get("build_near_host_ip"):
            return None
        table, network = question.table, _network(question)

        def passes(rows: Rows) -> Mask:
            numbers = np.arange(len(table))[rows].tolist()
            verdicts = (_inside(table.addresses[row], network) for row in numbers)
            return np.fromiter(verdicts, np.bool_, len(numbers))

        return passes

    def reason(self, question: Question, fell: Rows) -> str:
        network = _network(question)
        return f"their addresses are not in {network}" if network else "the hints name no network"


def _network(question: Question) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    hints = question.request.hints
    address = hints["build_near_host_ip"][0]
    cidr = (hints.get("cidr") or [_DEFAULT_CIDR])[0]
    try:
        return ipaddress.ip_network(f"{address}/{cidr.lstrip('/')}", strict=False)
    except ValueError:
        return None


def _inside(text: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network | None) -> bool:
    try:
        return network is not None and ipaddress.ip_address(text) in network
    except ValueError:
        return False
