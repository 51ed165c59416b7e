"""nova-compute and nova-network die at every point of every order; another process goes on where they were.

Made from the orders and the table of actions: a new order or action is tried from the day it is written.  Its
user sees nothing of it: each server ends as asked, and books, hosts and history agree.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nova import ids
from nova.compute.daemon import make_daemon as make_compute
from nova.context import RequestContext
from nova.daemon import Daemon, Surroundings
from nova.lifecycle.status import status
from nova.network.daemon import make_daemon as make_network
from nova.objects.ids import InstanceId
from nova.objects.image import NewImage
from nova.objects.states import Vm
from nova.rpc.contracts.conductor.instances import Instances
from tests.support.agents import Case, Grave, Point, cases, watch_compute, watch_network
from tests.support.cloud import Bench, eventually, put_on_paper, running_cloud
from tests.support.conductors import Gate, behind_gate
from tests.support.trial import SETTLED_S, Trial, hurried

CASES = {str(case): case for case in cases()}
EXTRA = """
[conductor]
job_ask = 600
[DEFAULT]
sync_power_state_interval = 2
[fake]
world = {world}
vcpus = 1000
ram_mb = 1000000
disk_gb = 100000
"""
"""Nobody asks agents how their jobs stand: what the dead did not tell is found by their heirs."""


class Burial:
    """A cloud whose agents die."""

    def __init__(self, bench: Bench, world: pathlib.Path) -> None:
        self.bench = bench
        self.trial = Trial(bench, world)
        self.grave = Grave()
        self.servers: dict[str, str] = {}
        self._gates: list[tuple[Gate, Daemon]] = []
        self._asking = bench.cloud.surroundings.client(Instances).any

    # -- daemons --------------------------------------------------------------------------------------------

    def replace(self, old: Daemon, *, mortal: bool) -> None:
        """Put another process in the place of an agent that ended."""
        around = self.bench.cloud.surroundings
        make: Callable[[Surroundings], Daemon] = make_compute
        if old.name == "nova-network":
            make = make_network
        daemon, gate = behind_gate(make, around, old.host)
        if old.name == "nova-network":
            put_on_paper(daemon)
        if mortal:
            watch = watch_network if old.name == "nova-network" else watch_compute
            watch(self.grave, daemon)
            self._gates.append((gate, daemon))
        self.bench.cloud.daemons[self.bench.cloud.daemons.index(old)] = daemon
        daemon.start()
        assert daemon.wait_serving(60), daemon.waiting_for

    def agents(self) -> list[Daemon]:
        """Return the agents there are."""
        return [d for d in self.bench.cloud.daemons if d.name in ("nova-compute", "nova-network")]

    def bury(self) -> None:
        """Let all agents die where they stand, and start others."""
        for gate, _ in self._gates:
            gate.cut()
        for _, daemon in self._gates:
            self.replace(daemon, mortal=False)

    # -- what users ask -------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Have a server for each case that needs one, in the state from which its action starts."""
        olds = [case for case in CASES.values() if case.action.name != "create"]
        made = self.trial.boot(len(olds), "old")
        eventually(self.idle, timeout_s=SETTLED_S, pause_s=0.2)
        for server, case in zip(made, olds, strict=True):
            self.servers[str(case)] = server
            if (before := case.preparation()) is not None:
                self._asking.act(_request(), InstanceId(server), before.name, {})
        eventually(self.idle, timeout_s=SETTLED_S, pause_s=0.2)

    def begin(self, case: Case) -> None:
        """Ask for the action of a case."""
        with self.grave.guard:
            if case.action.name == "create":
                self.servers[str(case)] = self._boot(case)
            server = InstanceId(self.servers[str(case)])
            self.grave.arm(server, case)
        if case.action.workflow == "snapshot":
            self._asking.create_image(_request(), server, NewImage(name=str(case)))
        elif case.action.name != "create":
            self._asking.act(_request(), server, case.action.name, {})

    def _boot(self, case: Case) -> str:
        wish: dict[str, Any] = {}
        if case.on_network:  # each is another host's, and dies with it
            wish = {"networks": [self.trial.networks[list(Point).index(case.point)]]}
        self.trial.asked += 1
        return self.bench.demo.boot(self.bench.image, name=str(case), **wish)

    # -- how the cloud is -----------------------------------------------------------------------------------

    def idle(self) -> bool:
        """Tell whether no server is under way."""
        running = self.trial.running()
        assert not running, f"{len(running)} workflows run: {running[:5]}"
        return True

    def all_stand(self) -> bool:
        """Tell whether every case has come to its point."""
        missing = [name for name, case in CASES.items() if case not in self.grave.stood]
        assert not missing, missing
        return True


def _request() -> RequestContext:
    return RequestContext(
        request_id=ids.new_request_id(), user_id="demo", project_id="demo", roles=("member",)
    )


@pytest.fixture(scope="module")
def burial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Burial]:
    """Let all agents die at all their points at once, and others go on."""
    home = tmp_path_factory.mktemp("agents")
    with (
        hurried(),
        running_cloud(
            home / "cloud", hosts=4, network_hosts=len(Point), extra=EXTRA.format(world=home / "world")
        ) as bench,
    ):
        found = Burial(bench, home / "world")
        try:
            for old in found.agents():
                old.stop(20)
                found.replace(old, mortal=True)
            found.prepare()
            for case in CASES.values():
                found.begin(case)
            eventually(found.all_stand, timeout_s=SETTLED_S, pause_s=0.2)
            found.bury()
            eventually(found.idle, timeout_s=SETTLED_S, pause_s=0.2)
            yield found
        finally:
            found.grave.open()


@pytest.mark.parametrize("name", sorted(CASES))
def test_nobody_sees_that_an_agent_died(burial: Burial, name: str) -> None:
    case = CASES[name]
    answer = burial.bench.demo.ask("GET", f"/servers/{burial.servers[name]}")
    if case.end is Vm.DELETED:
        assert answer.status == 404, answer
        return
    server = answer.body["server"]
    assert (server["status"], server["OS-EXT-STS:task_state"]) == (status(case.end, None), None), server


def test_the_books_the_hosts_and_the_history_agree(burial: Burial) -> None:
    burial.trial.check()
    burial.trial.clear()
    burial.trial.check()
