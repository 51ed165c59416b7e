"""A daemon that sells tea: every kind of method, its endpoint, and what a test needs of both."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry

from nova import ids
from nova.context import RequestContext, system_context
from nova.errors.servers import InstanceNotFound
from nova.objects.base import Value
from nova.rpc.client import Client, ClientOptions, make_client
from nova.rpc.contract import call, cast, contract, fanout
from nova.rpc.metrics import RpcMetrics
from nova.rpc.server import Server, ServerOptions
from nova.rpc.transport import Transport
from tests.contract.rpc.sites import new_topic


class Tea(Value, frozen=True, kw_only=True):
    name: str
    grams: int = 100
    notes: bytes = b""


class ShopFront:
    """The methods; :func:`new_shop` gives them topics of a test's own."""

    @call(since="1.0", timeout=180, idempotent=True)
    def look(self, ctx: RequestContext, tea: Tea) -> Tea: ...

    @call(since="1.0", timeout=180)
    def buy(self, ctx: RequestContext, name: str) -> int: ...

    @call(since="1.0", timeout=20)
    def fail(self, ctx: RequestContext, how: str) -> None: ...

    @call(since="1.0", timeout=20, idempotent=True)
    def patience(self, ctx: RequestContext) -> float | None: ...

    @call(since="1.0", timeout=20, idempotent=True)
    def wait(self, ctx: RequestContext) -> str: ...

    @call(since="1.0", timeout=20)
    def order(self, ctx: RequestContext) -> str: ...

    @cast(since="1.0")
    def deliver(self, ctx: RequestContext, number: int) -> None: ...

    @fanout(since="1.0")
    def closing(self, ctx: RequestContext, word: str) -> None: ...


class BackDoor:
    """What deliverers ask, on a topic and in a pool of its own."""

    @call(since="1.0", timeout=20, idempotent=True)
    def arrived(self, ctx: RequestContext, word: str) -> str: ...


class Endpoint:
    """Serves a shop and remembers what was asked."""

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.bought: Counter[str] = Counter()
        self.delivered: list[int] = []
        self.words: list[str] = []
        self.waiting = threading.Semaphore(0)
        self.go_on = threading.Event()

    def look(self, ctx: RequestContext, tea: Tea) -> Tea:
        return tea

    def buy(self, ctx: RequestContext, name: str) -> int:
        self.bought[name] += 1
        return self.bought[name]

    def fail(self, ctx: RequestContext, how: str) -> None:
        if how == "foreseen":
            raise InstanceNotFound(id="i-1")
        raise ZeroDivisionError("a secret of the shop")

    def patience(self, ctx: RequestContext) -> float | None:
        return ctx.timeout_s

    def wait(self, ctx: RequestContext) -> str:
        self.waiting.release()
        self.go_on.wait(60)
        return f"waited at {self.name}"

    def order(self, ctx: RequestContext) -> str:
        return self.wait(ctx)

    def deliver(self, ctx: RequestContext, number: int) -> None:
        self.delivered.append(number)

    def closing(self, ctx: RequestContext, word: str) -> None:
        self.words.append(word)

    def arrived(self, ctx: RequestContext, word: str) -> str:
        return f"{word} arrived"


class Shop:
    """A contract with topics of its own, and clients and servers of it."""

    def __init__(self) -> None:
        self.topic = new_topic("shop")
        back = contract(topic=f"{self.topic}-back", version="1.0")(type("Back", (BackDoor,), {}))
        # A method belongs to the topic of the class that declares it.
        back.arrived = BackDoor.arrived  # type: ignore[attr-defined]
        self.contract: type[ShopFront] = contract(topic=self.topic, version="1.0")(
            type("ShopContract", (ShopFront, back), {})
        )
        self.metrics = RpcMetrics(CollectorRegistry())
        self.registry = CollectorRegistry()
        self.counted = RpcMetrics(self.registry)

    @contextmanager
    def served(
        self, transport: Transport, endpoint: Endpoint, name: str = "one", **options: object
    ) -> Iterator[Server]:
        chosen = ServerOptions(**options)  # type: ignore[arg-type]
        server = Server(transport, self.contract, endpoint, name, self.counted, chosen)
        server.start()
        try:
            yield server
        finally:
            endpoint.go_on.set()
            server.stop(10)

    def client(self, transport: Transport, **options: float) -> Client[ShopFront]:
        return make_client(self.contract, transport, self.metrics, options=ClientOptions(**options))

    def count(self, name: str, **labels: str) -> float:
        """Return a counter of the servers, summed over the labels that are not named."""
        return sum(
            sample.value
            for family in self.registry.collect()
            for sample in family.samples
            if sample.name == f"{name}_total" and labels.items() <= sample.labels.items()
        )


def asked(timeout_s: float | None = None) -> RequestContext:
    """Make the context of a request."""
    ctx = system_context(f"req-{ids.new_uuid()}")
    return ctx if timeout_s is None else RequestContext(request_id=ctx.request_id, timeout_s=timeout_s)
