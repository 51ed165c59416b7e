"""What is measured over HTTP alone, so that any implementation of the Compute API can be measured."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import msgspec

from tests.benchmarks import servers
from tests.benchmarks.clients import Beside, Client, Sample, Target, many
from tests.benchmarks.lines import Record, Watch, milliseconds

EXISTING = "bench-list"
_LEAST_POLL_S = 0.005


class Sizes(msgspec.Struct, frozen=True, kw_only=True):
    """How often things are done; the defaults are the issue's."""

    existing: int = 1000
    reads: int = 300
    pages: int = 10
    pages_of_100: int = 60
    serial: int = 20
    burst: int = 200
    burst_one_host: int = 200
    at_once: int = 100
    tails: int = 400
    tail_clients: tuple[int, ...] = (8, 32)
    idle_s: float = 60.0
    most_s: float = 40.0
    """No read is repeated for longer."""


FEW = Sizes(
    reads=100, pages=3, pages_of_100=24, serial=8, burst=64, burst_one_host=12, at_once=40, tails=96,
    idle_s=20.0, most_s=15.0,
)  # fmt: skip
"""For an implementation that takes long: fewer of each, the same load at a time."""
TINY = Sizes(
    existing=5, reads=5, pages=1, pages_of_100=4, serial=1, burst=4, burst_one_host=2, at_once=3, tails=4,
    tail_clients=(2,), idle_s=0.1, most_s=2.0,
)  # fmt: skip
"""To see that everything works."""
SIZES = {"full": Sizes(), "few": FEW, "tiny": TINY}


class Run(msgspec.Struct, frozen=True):
    """One target, how much to do, where to write."""

    target: Target
    sizes: Sizes
    record: Record


def reads(run: Run, name: str, count: int, clients: int, path: Callable[[int], str], **more: Any) -> None:
    def one(client: Client, number: int) -> tuple[int, Any]:
        answer = client.ask("GET", path(number))
        return answer.status, len(answer.body)

    many(run.target, min(5, count), 1, one, 5.0)
    watch = Watch(run.target)
    samples = many(run.target, count, clients, one, run.sizes.most_s)
    size = [s.note for s in samples if isinstance(s.note, int)]
    _add(run, watch, name, clients, samples, bytes=max(size, default=0), **more)


def _add(run: Run, watch: Watch, name: str, clients: int, samples: list[Sample], **more: Any) -> None:
    good = [s for s in samples if s.status < 300]
    wall = max(s.ended for s in samples) - min(s.began for s in samples)
    facts: dict[str, Any] = {"clients": clients, "errors": len(samples) - len(good)}
    facts["rate_per_s"] = len(good) / wall
    bad = next((f"{s.status} {s.note}" for s in samples if s.status >= 300), None)
    if bad:
        facts["first_error"] = bad[:300]
    facts |= milliseconds([s.seconds for s in good]) | more
    run.record.add(watch.line(name, len(samples), **facts))


def flavors(run: Run) -> None:
    """All flavors in detail."""
    reads(run, "flavors", run.sizes.reads, 1, lambda _: "/flavors/detail")


def show(run: Run) -> None:
    """One server, by one client and by eight."""
    ids = servers.populate(run.target, EXISTING, run.sizes.existing)
    reads(run, "show", run.sizes.reads, 1, lambda n: f"/servers/{ids[n % len(ids)]}")
    reads(run, "show", 2 * run.sizes.reads, 8, lambda n: f"/servers/{ids[n % len(ids)]}")


def list_all(run: Run) -> None:
    """A thousand servers in one page; a hundred a page by four clients."""
    servers.populate(run.target, EXISTING, run.sizes.existing)
    reads(run, "list_1000", run.sizes.pages, 1, lambda _: "/servers/detail?limit=1000")
    reads(run, "list_100", run.sizes.pages_of_100, 4, lambda _: "/servers/detail?limit=100")


def tails(run: Run) -> None:
    """How long the unlucky wait: show and lists of 100, by 8 and by 32 clients."""
    ids = servers.populate(run.target, EXISTING, run.sizes.existing)
    for clients in run.sizes.tail_clients:
        count = max(run.sizes.tails, 3 * clients)
        reads(run, "tail_show", count, clients, lambda n: f"/servers/{ids[n % len(ids)]}")
        reads(run, "tail_list", max(count // 4, 2 * clients), clients, lambda _: "/servers/detail?limit=100")


def create_serial(run: Run) -> None:
    """One server at a time, from the request to the first look that says ACTIVE."""
    target, client = run.target, Client(run.target)
    samples: list[Sample] = []
    watch = Watch(target)
    for number in range(run.sizes.serial):
        began = time.monotonic()
        status, note = 202, ""
        try:
            server = client.json("POST", "/servers", servers.wish(target, f"bench-serial-{number}"))
            status, note = _until_active(client, server["server"]["id"], began)
        except RuntimeError as error:
            status, note = 599, str(error)
        samples.append(Sample(number, began, time.monotonic(), status, note))
    _add(run, watch, "create", 1, samples)
    servers.remove(target, "bench-serial")


def _until_active(client: Client, server: str, began: float) -> tuple[int, str]:
    while True:
        state = client.json("GET", f"/servers/{server}")["server"]["status"]
        if state == "ACTIVE":
            return 202, ""
        if state == "ERROR" or time.monotonic() - began > 120:
            return 599, state
        # Looking costs, too: at most every twentieth of the time that has passed.
        time.sleep(max(_LEAST_POLL_S, (time.monotonic() - began) / 20))


def create_burst(run: Run, *, name: str = "burst", count: int = 0) -> None:
    """Creates from 16 clients until all are ACTIVE, then their deletes until all are gone."""
    target, count, prefix = run.target, count or run.sizes.burst, f"bench-{name}"

    def post(client: Client, number: int) -> tuple[int, Any]:
        answer = client.ask("POST", "/servers", servers.wish(target, f"{prefix}-{number}"))
        made = answer.status == 202
        return answer.status, json.loads(answer.body)["server"]["id"] if made else answer.body[:200].decode()

    watch = Watch(target)
    # Looks while the requests go out, so that nobody's ACTIVE is missed.
    looking = Beside(lambda: servers.wait_all(target, prefix, count, "ACTIVE"))
    samples = many(target, count, 16, post)
    if any(s.status != 202 for s in samples):
        looking.drop()
        seen = servers.wait_all(target, prefix, sum(s.status == 202 for s in samples), "ACTIVE")
    else:
        seen = looking.result()
    done = max(seen.values(), default=watch.began) - watch.began
    began = {s.note: s.began for s in samples if s.status == 202}
    waited = [seen[server] - began[server] for server in seen if server in began]
    accepted = milliseconds([s.seconds for s in samples if s.status == 202])
    facts: dict[str, Any] = {"clients": 16, "errors": count - len(seen)}
    facts["rate_per_s"] = len(seen) / done if done else 0.0
    facts |= milliseconds(waited) | {f"accept_{k}": v for k, v in accepted.items()} | {"all_s": done}
    run.record.add(watch.line(f"create_{name}", count, **facts))
    _delete_burst(run, name, prefix)


def _delete_burst(run: Run, name: str, prefix: str) -> None:
    target = run.target
    ids = servers.found(Client(target), prefix)
    watch = Watch(target)
    samples = many(target, len(ids), 16, lambda c, n: (c.ask("DELETE", f"/servers/{ids[n]}").status, None))
    left = servers.wait_gone(target, prefix)
    done = time.monotonic() - watch.began
    facts: dict[str, Any] = {"clients": 16, "errors": sum(s.status != 204 for s in samples) + left}
    facts |= {"rate_per_s": (len(ids) - left) / done, "all_s": done} | milliseconds(
        [s.seconds for s in samples]
    )
    run.record.add(watch.line(f"delete_{name}", len(ids), **facts))


def create_one_host(run: Run) -> None:
    """The same while only one host takes servers; the others are disabled meanwhile."""
    client = Client(msgspec.structs.replace(run.target, microversion="2.53"))
    services = client.json("GET", "/os-services?binary=nova-compute")["services"]
    others = [service["id"] for service in services[1:]]
    for service in others:
        client.json("PUT", f"/os-services/{service}", {"status": "disabled", "disabled_reason": "benchmark"})
    try:
        create_burst(run, name="one_host", count=run.sizes.burst_one_host)
    finally:
        for service in others:
            client.json("PUT", f"/os-services/{service}", {"status": "enabled"})


def create_at_once(run: Run) -> None:
    """Many in one request until all are ACTIVE, then stops and starts of them from 16 clients."""
    target, count, prefix = run.target, run.sizes.at_once, "bench-multi"
    client = Client(target)
    watch = Watch(target)
    client.json("POST", "/servers", servers.wish(target, prefix, count))
    answered = time.monotonic() - watch.began
    seen = servers.wait_all(target, prefix, count, "ACTIVE")
    done = max(seen.values(), default=watch.began) - watch.began
    facts: dict[str, Any] = {"clients": 1, "errors": count - len(seen), "all_s": done}
    facts |= {"rate_per_s": len(seen) / done if done else 0.0, "accept_ms": answered * 1000}
    run.record.add(watch.line("create_at_once", count, **facts))
    ids = servers.found(client, prefix)
    for action, status in (("os-stop", "SHUTOFF"), ("os-start", "ACTIVE")):
        _actions(run, prefix, ids, action, status)
    servers.remove(target, prefix)


def _actions(run: Run, prefix: str, ids: list[str], action: str, status: str) -> None:
    def act(client: Client, number: int) -> tuple[int, Any]:
        return client.ask("POST", f"/servers/{ids[number]}/action", {action: None}).status, None

    watch = Watch(run.target)
    samples = many(run.target, len(ids), 16, act)
    seen = servers.wait_all(run.target, prefix, len(ids), status)
    done = max(seen.values(), default=watch.began) - watch.began
    facts: dict[str, Any] = {"clients": 16, "all_s": done, "rate_per_s": len(seen) / done if done else 0.0}
    facts |= {"errors": sum(s.status != 202 for s in samples) + len(ids) - len(seen)}
    facts |= milliseconds([s.seconds for s in samples])
    run.record.add(watch.line(action.replace("os-", ""), len(ids), **facts))


def idle(run: Run) -> None:
    """Nobody asks for anything: CPU a second, by who uses it."""
    watch = Watch(run.target)
    time.sleep(run.sizes.idle_s)
    span = time.monotonic() - watch.began
    line = watch.line("idle", 1)
    cores = line.pop("cpu_ms") / 1000 / span
    by = {name: round(value / 1000 / span, 4) for name, value in line.pop("cpu_ms_by").items()}
    run.record.add(line | {"value": round(cores, 4), "unit": "cores", "cores_by": by})


ALL: dict[str, Callable[[Run], None]] = {
    "flavors": flavors,
    "show": show,
    "list": list_all,
    "create": create_serial,
    "burst": create_burst,
    "one_host": create_one_host,
    "at_once": create_at_once,
    "tails": tails,
    "idle": idle,
}
