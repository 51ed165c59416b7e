"""What the RPC layer counts.  One object a registry, shared by every daemon of a process.

A daemon knows hundreds of methods and uses a few, and each value has a lock of its own: those of a method are
made when it is used first, all its outcomes together, so that none of them begins in the middle of a graph.
"""

from __future__ import annotations

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class ServedCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What a server counts of one method."""

    ok: Counter
    refused: Counter
    failed: Counter
    seconds: Histogram


class CalledCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What a client counts of one method."""

    ok: Counter
    refused: Counter
    timeout: Counter
    unreachable: Counter


class RpcMetrics:
    """Counters, gauges and histograms of clients and servers."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.served = Counter(
            "nova_rpc_served", "Requests done, by outcome", ["topic", "method", "outcome"], registry=registry
        )
        self.seconds = Histogram(
            "nova_rpc_served_seconds",
            "Time from taking a request off the queue to its answer",
            ["topic", "method"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.set_aside = Counter(
            "nova_rpc_set_aside",
            "Messages nobody could serve, by reason",
            ["topic", "reason"],
            registry=registry,
        )
        self.expired = Counter(
            "nova_rpc_expired",
            "Calls dropped because their caller had stopped waiting",
            ["topic"],
            registry=registry,
        )
        self.doubles = Counter(
            "nova_rpc_doubles",
            "Calls that came twice and were answered from memory",
            ["topic"],
            registry=registry,
        )
        self.waiting = Gauge(
            "nova_rpc_waiting", "Requests waiting for a free worker", ["topic"], registry=registry
        )
        self.called = Counter(
            "nova_rpc_called", "Calls made, by outcome", ["topic", "method", "outcome"], registry=registry
        )
        self.resent = Counter(
            "nova_rpc_resent", "Requests sent again, by reason", ["topic", "reason"], registry=registry
        )

    def of_served(self, topic: str, method: str) -> ServedCounts:
        """Return what a server counts of a method."""
        return ServedCounts(
            ok=self.served.labels(topic, method, "ok"),
            refused=self.served.labels(topic, method, "refused"),
            failed=self.served.labels(topic, method, "failed"),
            seconds=self.seconds.labels(topic, method),
        )

    def of_called(self, topic: str, method: str) -> CalledCounts:
        """Return what a client counts of a method."""
        return CalledCounts(
            ok=self.called.labels(topic, method, "ok"),
            refused=self.called.labels(topic, method, "refused"),
            timeout=self.called.labels(topic, method, "timeout"),
            unreachable=self.called.labels(topic, method, "unreachable"),
        )
