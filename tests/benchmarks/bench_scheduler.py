"""How many decisions a second nova-scheduler makes: ``python -m tests.benchmarks.bench_scheduler [hosts]``.

One process, one core, no wire: a view that is fed and asked as the daemon's is.  Prints a line for each
number of hosts and each kind of work.
"""

from __future__ import annotations

import gc
import random
import sys
import time
import tracemalloc
from collections.abc import Callable

import msgspec

from nova.clock import Clock
from nova.conf.scheduler import SchedulerOptions
from nova.objects.host import HostSnapshot, HostView
from nova.objects.placement import GroupNeed, PlacementRequest
from nova.scheduler.host_table import HostTable
from nova.scheduler.pipeline import Placer
from nova.scheduler.view import View
from tests.support.scheduling import flavor, image, request, view

SECONDS = 2.0
FLAVORS = (flavor(1, 512, 1), flavor(2, 4096, 20), flavor(4, 8192, 40))


def make_hosts(count: int) -> tuple[HostView, ...]:
    """Make hosts of three kinds, part of them used already."""
    source = random.Random(7)
    return tuple(
        view(
            f"compute{n:05}",
            vcpus=64,
            ram_mb=512 * 1024,
            disk_gb=8000,
            cpu_ratio=4.0,
            used_vcpus=source.randrange(64),
            used_ram_mb=source.randrange(256) * 1024,
            used_disk_gb=source.randrange(1000),
            zone=f"zone{n % 3}",
            hypervisor_version=6002000 + n % 3,
            cpu_info={"model": f"model{n % 5}", "features": ["avx2", "aes"]},
            up=n % 50 != 0,
        )
        for n in range(count)
    )


class Bench:
    """One view that follows its own decisions as a conductor would tell them."""

    def __init__(self, hosts: tuple[HostView, ...]) -> None:
        self.position = 1
        self.hosts = {h.host: h for h in hosts}
        snapshot = HostSnapshot(position=1, hosts=hosts, aggregates=())
        # The conductor's answers are told below; the view never has to ask.
        options = SchedulerOptions(view_stale_after=1e9, view_max_age=1e9)
        self.view = View(lambda _: snapshot, options, Clock(), random.Random(1))
        self.view.refresh()

    def tell(self, names: set[str]) -> None:
        """Tell of hosts what a conductor tells after claims."""
        self.position += 1
        for name in names:
            host = self.hosts[name]
            self.hosts[name] = msgspec.structs.replace(host, generation=host.generation + 1)
        changed = tuple(self.hosts[name] for name in names)
        self.view.hear(HostSnapshot(position=self.position, hosts=changed, whole=False))

    def run(self, requests: Callable[[int], list[PlacementRequest]]) -> tuple[float, float]:
        """Return instances placed a second and the median time of a call in milliseconds."""
        placed, turn = 0, 0
        times: list[float] = []
        began = time.perf_counter()
        while (now := time.perf_counter()) < began + SECONDS:
            decisions = self.view.select(requests(turn))
            times.append(time.perf_counter() - now)
            names = {choice.host for decision in decisions for choice in decision.choices}
            placed += sum(len(decision.choices) for decision in decisions)
            self.tell(names)
            turn += 1
        return placed / (time.perf_counter() - began), sorted(times)[len(times) // 2] * 1000


KINDS: dict[str, Callable[[int], list[PlacementRequest]]] = {
    "one request a call, three flavors in turn": lambda n: [request(flavor=FLAVORS[n % 3])],
    "100 single requests a call, three flavors": lambda n: [
        request(name=f"r{n}-{k}", flavor=FLAVORS[k % 3], image=image(hw_architecture="x86_64"))
        for k in range(100)
    ],
    "one request for 100 instances a call": lambda _: [request(100)],
    "one request a call, never the same twice": lambda n: [request(flavor=flavor(1, 512 + n % 500, 1))],
    "one request of an anti-affinity group a call": lambda n: [
        request(group=GroupNeed(id=f"g{n}", policy="anti-affinity", hosts={f"compute{n % 100:05}": 1}))
    ],
}


def bytes_per_host(hosts: tuple[HostView, ...]) -> tuple[float, float]:
    """Return what the table takes of memory for a host, and what each remembered search adds."""
    message = msgspec.msgpack.encode(HostSnapshot(position=1, hosts=hosts, aggregates=()))
    tracemalloc.start()
    try:
        table = HostTable()
        table.apply(msgspec.msgpack.decode(message, type=HostSnapshot))
        gc.collect()
        full = tracemalloc.get_traced_memory()[0]
        placer = Placer(SchedulerOptions())
        placer.place(table, [request()], random.Random(1))
        gc.collect()
        return full / len(hosts), (tracemalloc.get_traced_memory()[0] - full) / len(hosts)
    finally:
        tracemalloc.stop()


def main() -> int:
    """Print the numbers."""
    for count in [int(word) for word in sys.argv[1:]] or [1000, 10_000]:
        hosts = make_hosts(count)
        row, search = bytes_per_host(hosts)
        print(f"{count:>6} hosts  {row:.0f} bytes a host, {search:.0f} more for a search", flush=True)
        for kind, requests in KINDS.items():
            rate, median = Bench(hosts).run(requests)
            print(f"{count:>6} hosts  {rate:>8.0f} decisions/s  {median:>8.2f} ms a call  {kind}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
