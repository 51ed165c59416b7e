"""Single mechanisms in this process: codec, rendering, token, policy, scheduler; CPU time of one call."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import msgspec

from nova.api.compute import app, registry
from nova.api.compute.servers import views
from nova.api.wsgi.response import json_bytes
from nova.clock import Clock
from nova.conf.identity import IdentityConf
from nova.conf.policy import PolicyConf
from nova.context import RequestContext
from nova.identity.cache import CachedIdentity, Proof
from nova.identity.principal import Credentials, Principal
from nova.objects.instance import Instance, InstancePage
from nova.policy import Target as PolicyTarget
from nova.rpc import payload
from tests.benchmarks import bench_scheduler, samples
from tests.benchmarks.lines import Record
from tests.support.scheduling import request

CTX = RequestContext(
    request_id="req-00000000-0000-0000-0000-000000000000", user_id="u", project_id="p", roles=("admin",),
    is_admin=True,
)  # fmt: skip
SECONDS = 0.5


def run(asked: argparse.Namespace, record: Record) -> None:
    """Measure each for about half a second of CPU."""
    page = tuple(samples.instance(n, f"host{n % 20}", "p") for n in range(1000))
    for name, call in {**_codec(page), **_views(page), **_callers()}.items():
        record.add(_line(name, *_microseconds(call)))
    for count in (1000,) if asked.quick else (1000, 10_000):
        hosts = bench_scheduler.make_hosts(count)
        bench = bench_scheduler.Bench(hosts)
        rate, _ = bench.run(lambda n: [request(flavor=bench_scheduler.FLAVORS[n % 3])])
        record.add(_line(f"scheduler: decisions, {count} hosts", rate, "a second"))
        row, search = bench_scheduler.bytes_per_host(hosts)
        record.add(_line(f"scheduler: memory, {count} hosts", row, "bytes a host"))
        record.add(_line(f"scheduler: memory of a remembered search, {count} hosts", search, "bytes a host"))


def _line(name: str, value: float, unit: str) -> dict[str, Any]:
    return {"scenario": name, "side": "ours", "value": round(value, 2), "unit": unit}


def _microseconds(call: Callable[[], object]) -> tuple[float, str]:
    call()
    best, spent = float("inf"), 0.0
    repeat = 1
    while spent < SECONDS:
        began = time.process_time()
        for _ in range(repeat):
            call()
        took = time.process_time() - began
        spent += took
        best = min(best, took / repeat)
        if took < 0.02:
            repeat *= 2
    return best * 1e6, "us of CPU"


def _codec(page: tuple[Instance, ...]) -> dict[str, Callable[[], object]]:
    one, many = payload.encode_ok(page[0]), payload.encode_ok(InstancePage(instances=page, more=False))
    read_one, read_many = payload.ReplyReader[Any](Instance), payload.ReplyReader[Any](InstancePage)
    text = payload.to_text(many)
    wanted = msgspec.defstruct("wanted", [("instance", str)])(instance=page[0].id)
    return {
        "codec: a request": lambda: payload.decode_request(
            payload.encode_request("show_instance", (1, 0), "call.1", 60.0, CTX, wanted)
        ),
        "codec: answer of one instance, write": lambda: payload.encode_ok(page[0]),
        "codec: answer of one instance, read": lambda: read_one.read(one),
        "codec: page of 1,000, write": lambda: payload.encode_ok(InstancePage(instances=page, more=False)),
        "codec: page of 1,000, read": lambda: read_many.read(many),
        "codec: page of 1,000, to and from text": lambda: payload.from_text(payload.to_text(many)),
        "codec: page of 1,000, from text": lambda: payload.from_text(text),
    }


class _Answer:
    """As much of a request as views look at."""

    class _Links:
        def to(self, path: str) -> str:
            return f"http://127.0.0.1:8774/v2.1/{path}"

        def bookmark(self, path: str) -> str:
            return f"http://127.0.0.1:8774/{path}"

        def only_bookmark(self, path: str) -> list[dict[str, str]]:
            return [{"rel": "bookmark", "href": self.bookmark(path)}]

        def image(self, image: str) -> list[dict[str, str]]:
            return self.only_bookmark(f"images/{image}")

    links = _Links()
    ctx = CTX

    def may(self, *_: object) -> bool:
        return True

    def has(self, *_: object) -> bool:
        return True


def _views(page: tuple[Instance, ...]) -> dict[str, Callable[[], object]]:
    req: Any = _Answer()

    def rendered(count: int) -> bytes:
        view = views.ServerView(req)
        return json_bytes({"servers": [view.server(one) for one in page[:count]]})

    return {"view: one server": lambda: rendered(1), "view: 1,000 servers": lambda: rendered(1000)}


class _Prover:
    def prove(self, shown: Credentials) -> Proof:
        return Proof(Principal(user_id="u", project_id="p", roles=("admin", "member", "reader")), 3600.0)


def _callers() -> dict[str, Callable[[], object]]:
    clock = Clock()
    identity = CachedIdentity(_Prover(), IdentityConf(), clock)
    shown = Credentials(token="g" * 180)
    policy = app.policy_of(PolicyConf(), clock, registry.operations())
    rule = "os_compute_api:servers:show"
    numbers = iter(range(10**9))

    def new_target() -> bool:
        return policy.may(CTX, rule, PolicyTarget(f"p{next(numbers)}", "u"))

    return {
        "token: known": lambda: identity.authenticate(shown),
        "policy: known": lambda: policy.may(CTX, rule),
        "policy: a new project": new_target,
    }
