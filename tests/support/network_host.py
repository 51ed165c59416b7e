"""A program for tests: nova-network, metadata service and a conductor of a few lines in one process.

``python -m tests.support.network_host FOLDER [key=value ...]`` (options of group ``network``).  The truth is
the file ``truth.json`` in FOLDER, read anew for each question.  Lines on standard input: ``jobs N NETWORK``
(order N jobs), ``heal`` (say that networks changed), ``stop``.  What the conductor is told goes to standard
output, one JSON object a line.
"""

from __future__ import annotations

import json
import os
import select
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from nova import concurrency

concurrency.start()

import msgspec  # noqa: E402

from nova import conf as nova_conf  # noqa: E402
from nova.api.metadata.daemon import make_daemon as make_metadata_daemon  # noqa: E402
from nova.context import system_context  # noqa: E402
from nova.daemon import Daemon, Parts, Surroundings  # noqa: E402
from nova.network.daemon import make_daemon  # noqa: E402
from nova.objects.flavor import Flavor  # noqa: E402
from nova.objects.guest import GuestSpec  # noqa: E402
from nova.objects.jobs import Job, ServeNetworks  # noqa: E402
from nova.objects.metadata import GuestMetadata  # noqa: E402
from nova.objects.network import NetworkState, Vif  # noqa: E402
from nova.rpc.contracts.conductor.networks import Networks  # noqa: E402
from nova.rpc.contracts.conductor.reports import Reports  # noqa: E402
from nova.rpc.contracts.network import NetworkHost  # noqa: E402


class Conductor:
    """Knows the truth of one file and says what it is told."""

    def __init__(self, folder: Path) -> None:
        self._truth = folder / "truth.json"
        self._print = threading.Lock()

    def say(self, **facts: object) -> None:
        with self._print:
            print(json.dumps(facts), flush=True)

    def network_state(self, ctx, host):
        return msgspec.json.decode(self._truth.read_bytes(), type=NetworkState)

    def metadata_by_address(self, ctx, address):
        state = self.network_state(ctx, "net1")
        held = next((f for f in state.fixed_ips if f.address == address), None)
        if held is None:
            return None
        vif = Vif(id="v", mac=held.mac, network_id=held.network_id, label="n", addresses=(address,))
        guest = GuestSpec(
            id=held.address.replace(".", "-"),
            name=held.hostname or "guest",
            hostname=held.hostname or "guest",
            project_id="p",
            user_id="u",
            flavor=Flavor(id="1", name="tiny", vcpus=1, ram_mb=64, root_gb=1),
            vifs=(vif,),
            key_name="mine",
            key_data="ssh-ed25519 AAAA me",
        )
        return GuestMetadata(guest=guest, instance_id=guest.id, ec2_instance_id="i-00000001")

    def owed(self, ctx, host, topic):
        return []

    def report(self, ctx, outcomes):
        for outcome in outcomes:
            self.say(job=outcome.job_id, verdict=outcome.verdict, error=outcome.error, at=time.monotonic())

    def lease_changed(self, ctx, address, mac, leased, host):
        self.say(address=address, mac=mac, leased=leased, host=host)

    def heartbeat(self, ctx, beats):
        pass

    def __getattr__(self, name):
        """Serve the rest of the contract, of which nova-network uses nothing."""

        def unused(*_):
            raise AssertionError(f"nova-network does not use {name}")

        return unused


def lines() -> Iterator[str]:
    """Yield lines of standard input; other green threads run meanwhile."""
    read = b""
    # eventlet's select does not wake up for descriptor 0
    stdin = os.dup(0)
    while True:
        select.select([stdin], [], [])
        part = os.read(stdin, 65536)
        if not part:
            return
        *whole, read = (read + part).split(b"\n")
        yield from (line.decode() for line in whole)


def main() -> None:
    folder = Path(sys.argv[1])
    settings = dict(word.split("=", 1) for word in sys.argv[2:])
    conf = nova_conf.load([], files=[])
    conf.set_override("transport_url", f"memory:///{folder.name}")
    conf.set_override("state_path", str(folder))
    conf.set_override("host", "net1")
    for name, value in settings.items():
        conf.set_override(name, value, group="network")
    around = Surroundings(conf)
    conductor = Conductor(folder)
    servers = [around.server(Reports, conductor), around.server(Networks, conductor)]
    daemons = [
        Daemon("conductor", lambda a, loops: Parts(services=servers), around),
        make_daemon(around),
        make_metadata_daemon(around),
    ]
    for daemon in daemons:
        daemon.start()
    for daemon in daemons:
        assert daemon.wait_serving(20), daemon.waiting_for
    network = around.client(NetworkHost)
    conductor.say(ready=os.getpid())
    count = 0
    for line in lines():
        words = line.split()
        ctx = system_context("req-test")
        if words[0] == "jobs":
            jobs = []
            for _ in range(int(words[1])):
                count += 1
                order = ServeNetworks(networks=tuple(words[2:]))
                jobs.append(Job(id=f"job-{count}", instance_id=f"i-{count}", fence=1, order=order))
            conductor.say(sent=len(jobs), at=time.monotonic())
            network.host("net1").run_jobs(ctx, jobs)
        elif words[0] == "heal":
            network.all.networks_changed(ctx)
        elif words[0] == "stop":
            break
    for daemon in reversed(daemons):
        daemon.stop(5)
    conductor.say(stopped=True)


if __name__ == "__main__":
    main()
