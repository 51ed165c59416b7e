"""What a call costs: ``python -m tests.benchmarks.bench_rpc [calls] [--profile client|server]``.

A caller and a server as processes of their own (in memory: one process), typed client and server as in the
daemons, an answer of a few hundred bytes.  Prints, for each transport, kind of queue and kind of threads, the
median time of a call and the CPU time that a call takes of the caller, the server and the broker.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

# Chooses green or native threads, before anything else is imported.
import nova.cmd  # noqa: F401
from nova import concurrency
from nova import conf as nova_conf
from nova.context import RequestContext, system_context
from nova.objects.host import HostSnapshot
from nova.objects.placement import Decision, PlacementRequest
from nova.rpc.contracts.base import DaemonFacts
from nova.rpc.contracts.scheduler import Scheduler

CALLS = 2000
WARM = 200
FACTS = DaemonFacts(binary="nova-scheduler", host="h" * 40, version="1" * 200)


class Endpoint:
    """Answers at once."""

    def ping(self, ctx: RequestContext) -> DaemonFacts:
        return FACTS

    def select(self, ctx: RequestContext, requests: list[PlacementRequest]) -> list[Decision]:
        return []

    def hosts_changed(self, ctx: RequestContext, snapshot: HostSnapshot) -> None:
        """Nothing to do."""


def surroundings(url: str, quorum: str) -> object:
    from nova.daemon import Surroundings

    conf = nova_conf.load(files=[])
    conf.set_override("transport_url", url)
    conf.set_override("host", "bench")
    conf.set_override("quorum_queues", quorum == "quorum", group="rpc")
    return Surroundings(conf)


def cpu_s() -> float:
    """Return the CPU time of this process."""
    times = os.times()
    return times.user + times.system


def cpu_of(pid: int) -> float:
    """Return the CPU time of another process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def serve(url: str, quorum: str) -> None:
    """Serve until the input ends; a line asks for the CPU time so far."""
    site = surroundings(url, quorum)
    server = site.server(Scheduler, Endpoint())  # type: ignore[attr-defined]
    server.start()
    print("ready", flush=True)
    concurrency.in_native_thread(_told, server)
    server.stop(2)
    site.close()  # type: ignore[attr-defined]


def _told(_server: object) -> None:
    for _ in sys.stdin:
        sys.stdout.write(f"{cpu_s()}\n")
        sys.stdout.flush()


def call(url: str, quorum: str, calls: int) -> dict[str, float]:
    """Make calls, one after the other; return the median in seconds and the CPU time of one."""
    site = surroundings(url, quorum)
    server = None
    if url.startswith("memory"):
        server = site.server(Scheduler, Endpoint())  # type: ignore[attr-defined]
        server.start()
    client = site.client(Scheduler)  # type: ignore[attr-defined]
    ctx = system_context("req-1")
    for _ in range(WARM):
        client.any.ping(ctx)
    print("warm", flush=True)
    sys.stdin.readline()
    took, before = [], cpu_s()
    for _ in range(calls):
        begun = time.perf_counter()
        client.any.ping(ctx)
        took.append(time.perf_counter() - begun)
    used = cpu_s() - before
    if server is not None:
        server.stop(2)
    site.close()  # type: ignore[attr-defined]
    return {"median": sorted(took)[len(took) // 2], "cpu": used / calls}


def measure(url: str, quorum: str, mode: str, calls: int, broker_pid: int | None) -> str:
    """Run both processes; return a line of figures."""
    env = os.environ | {"NOVA_CONCURRENCY": mode}

    def run(role: str, *more: str) -> subprocess.Popen[str]:
        argv = [sys.executable, "-m", "tests.benchmarks.bench_rpc", role, url, quorum, *more]
        pipe = subprocess.PIPE
        return subprocess.Popen(argv, env=env, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)

    def ask(process: subprocess.Popen[str]) -> str:
        assert process.stdin and process.stdout
        process.stdin.write("go\n")
        process.stdin.flush()
        return process.stdout.readline()

    server = None if url.startswith("memory") else run("serve")
    if server is not None and server.stdout:
        server.stdout.readline()
    caller = run("call", str(calls))
    assert caller.stdout and caller.stdin
    caller.stdout.readline()
    server_before = float(ask(server)) if server else 0.0
    broker_before = cpu_of(broker_pid) if broker_pid and server else 0.0
    caller_says = json.loads(ask(caller))
    server_used = (float(ask(server)) - server_before) / calls if server else 0.0
    broker_used = (cpu_of(broker_pid) - broker_before) / calls if broker_pid and server else 0.0
    for process in (caller, server):
        if process is not None:
            process.communicate()
    micro = 1e6
    return (
        f"{caller_says['median'] * micro:>8.0f} us a call   CPU us: caller {caller_says['cpu'] * micro:>6.0f}"
        f"   server {server_used * micro:>6.0f}   broker {broker_used * micro:>6.0f}"
    )


def main() -> int:
    """Print the figures."""
    if len(sys.argv) > 3 and sys.argv[1] == "serve":
        serve(*sys.argv[2:4])
        return 0
    if len(sys.argv) > 4 and sys.argv[1] == "call":
        print(json.dumps(call(sys.argv[2], sys.argv[3], int(sys.argv[4]))), flush=True)
        return 0
    from tests.support.rabbitmq import rabbitmq

    calls = int(sys.argv[1]) if len(sys.argv) > 1 else CALLS
    with rabbitmq() as broker:
        sites = [("memory:///bench", "-")]
        for scheme in ("rabbit", "oslo+rabbit"):
            for number, quorum in enumerate(("classic", "quorum")):
                host = f"{scheme[0]}{number}"
                broker.control("add_vhost", host)
                broker.control("set_permissions", "-p", host, "guest", ".*", ".*", ".*")
                sites.append((broker.url.replace("rabbit:", f"{scheme}:") + host, quorum))
        for mode in ("threading", "eventlet"):
            for url, quorum in sites:
                said = measure(url, quorum, mode, calls, broker.pid)
                print(f"{url.partition(':')[0]:<12} {quorum:<8} {mode:<10} {said}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
