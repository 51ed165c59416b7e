"""What is counted of methods, and from when on."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from nova.rpc.memory import MemoryTransport, bus_named
from nova.rpc.metrics import RpcMetrics
from tests.contract.rpc.shop import Endpoint, Shop, asked


def counted(registry: CollectorRegistry, name: str) -> dict[tuple[str, str], float]:
    """Return the counter's values by method and outcome."""
    return {
        (sample.labels["method"], sample.labels["outcome"]): sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name == name
    }


def test_of_methods_that_nobody_uses_nothing_is_held_and_of_the_others_every_outcome() -> None:
    shop, transport = Shop(), MemoryTransport(bus_named("test-metrics"))
    calling = CollectorRegistry()
    shop.metrics = RpcMetrics(calling)
    with shop.served(transport, Endpoint()):
        client = shop.client(transport)
        assert counted(shop.registry, "nova_rpc_served_total") == {}
        assert counted(calling, "nova_rpc_called_total") == {}
        assert client.any.buy(asked(), "oolong") == 1
    assert counted(shop.registry, "nova_rpc_served_total") == {
        ("buy", "ok"): 1.0,
        ("buy", "refused"): 0.0,
        ("buy", "failed"): 0.0,
    }
    assert counted(calling, "nova_rpc_called_total") == {
        ("buy", "ok"): 1.0,
        ("buy", "refused"): 0.0,
        ("buy", "timeout"): 0.0,
        ("buy", "unreachable"): 0.0,
    }
