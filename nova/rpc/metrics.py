"""What the RPC layer counts.  One object a registry, shared by every daemon of a process."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


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
