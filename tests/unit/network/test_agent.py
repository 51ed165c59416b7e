"""The agent's rules, with a machine that only remembers its plans."""

from __future__ import annotations

import msgspec
import pytest

from nova.clock import StoppedClock
from nova.errors import Unavailable
from nova.errors.network import NetworkSetupFailed
from nova.network.agent import Agent, Wakers
from nova.network.leases import LeaseEvent
from nova.network.linux.machine import Applied
from nova.network.options import NetworkOptions
from nova.objects.jobs import Destroy, Job, ServeNetworks, Verdict
from nova.objects.network import FixedIp, Network, NetworkState, Topology

OPTIONS = NetworkOptions(networks_path="/nowhere", lease_socket="/nowhere/s")
REAL = Network(id="real", label="real", cidr="10.0.0.0/24")
PAPER = Network(id="paper", label="paper", cidr="10.1.0.0/24", topology=Topology.NONE)


class Machine:
    def __init__(self):
        self.applied = []
        self.failed = {}

    def apply(self, plan, *, look):
        self.applied.append((plan, look))
        return Applied(changes=("something",) if look else (), failed=self.failed)


class Conductor:
    def __init__(self, state):
        self.state = state
        self.away = False
        self.asked = 0
        self.reports = []
        self.leases = []
        self.debts = []

    def _here(self):
        if self.away:
            raise Unavailable(part="the conductor")

    def network_state(self, ctx, host):
        self._here()
        self.asked += 1
        return self.state

    def report(self, ctx, outcomes):
        self._here()
        self.reports += outcomes

    def owed(self, ctx, host, topic):
        assert topic == "network"
        return self.debts

    def lease_changed(self, ctx, address, mac, leased, host):
        self._here()
        self.leases.append((address, mac, leased, host))


@pytest.fixture
def conductor():
    return Conductor(NetworkState(networks=(REAL, PAPER)))


@pytest.fixture
def machine():
    return Machine()


@pytest.fixture
def agent(conductor, machine):
    return Agent("h1", conductor, machine, OPTIONS, StoppedClock())


def job(number, *networks, order=None):
    return Job(
        id=f"j{number}",
        instance_id=f"i{number}",
        fence=1,
        order=order or ServeNetworks(networks=networks),
    )


def verdicts(conductor):
    return {o.job_id: o.verdict for o in conductor.reports}


def test_many_jobs_are_done_by_one_look_at_the_truth(agent, conductor, machine):
    woken = []
    agent.wake = Wakers(serve=lambda: woken.append("serve"), report=lambda: woken.append("report"))
    agent.order([job(n, "real") for n in range(50)])
    assert "serve" in woken
    assert agent.serve() == "50 jobs"
    assert (conductor.asked, len(machine.applied)) == (1, 1)
    agent.report()
    assert set(verdicts(conductor).values()) == {Verdict.DONE} and len(conductor.reports) == 50
    assert agent.serve() is None


def test_paper_networks_cost_nothing_once_they_are_known(agent, conductor, machine):
    agent.heal()
    before = (conductor.asked, len(machine.applied))
    agent.order([job(1, "paper"), job(2, "paper")])
    agent.serve()
    agent.report()
    assert (conductor.asked, len(machine.applied)) == before
    assert verdicts(conductor) == {"j1": Verdict.DONE, "j2": Verdict.DONE}
    agent.order([job(3, "paper"), job(4, "real")])
    agent.serve()
    assert conductor.asked == before[0] + 1


def test_failures_are_told_with_their_reason(agent, conductor, machine):
    machine.failed = {"real": NetworkSetupFailed(network="real", host="h1", reason="no room")}
    agent.order([job(1, "real"), job(2, "elsewhere"), job(3, "paper"), job(4, order=Destroy())])
    agent.serve()
    agent.report()
    found = {o.job_id: (o.verdict, o.error and o.error[0], o.retry_elsewhere) for o in conductor.reports}
    assert found == {
        "j1": (Verdict.FAILED, "NetworkSetupFailed", True),
        "j2": (Verdict.FAILED, "NetworkNotHere", True),
        "j3": (Verdict.DONE, None, False),
        "j4": (Verdict.FAILED, "BadRequest", True),
    }


def test_the_host_is_looked_at_before_a_failure_is_told(agent, conductor, machine):
    apply = machine.apply

    def once_wrong(plan, *, look):
        machine.failed = (
            {} if look else {"real": NetworkSetupFailed(network="real", host="h1", reason="gone")}
        )
        return apply(plan, look=look)

    machine.apply = once_wrong
    agent.order([job(1, "real")])
    agent.serve()
    agent.report()
    assert verdicts(conductor) == {"j1": Verdict.DONE}
    assert [look for _, look in machine.applied] == [False, True]


def test_jobs_wait_and_reports_are_repeated_while_the_conductor_is_away(agent, conductor):
    conductor.away = True
    agent.order([job(1, "real")])
    with pytest.raises(Unavailable):
        agent.serve()
    conductor.away = False
    agent.serve()
    conductor.away = True
    with pytest.raises(Unavailable):
        agent.report()
    conductor.away = False
    agent.report()
    agent.report()
    assert [o.job_id for o in conductor.reports] == ["j1"]


def test_a_host_is_healed_after_the_last_known_truth_while_the_conductor_is_away(agent, conductor, machine):
    conductor.away = True
    with pytest.raises(Unavailable):
        agent.heal()
    conductor.away = False
    agent.heal()
    conductor.away = True
    assert agent.heal() == "something"
    assert [look for _, look in machine.applied] == [True, True]
    assert machine.applied[0] == machine.applied[1]


def test_what_is_owed_is_done(agent, conductor):
    conductor.debts = [job(1, "real")]
    agent.greet()
    agent.serve()
    agent.report()
    assert verdicts(conductor) == {"j1": Verdict.DONE}


def test_leases_are_told_until_they_are_taken(agent, conductor):
    conductor.away = True
    agent.leases.take(LeaseEvent("real", "aa", "10.0.0.5", True))
    with pytest.raises(Unavailable):
        agent.report()
    agent.leases.take(LeaseEvent("real", "aa", "10.0.0.5", False))
    conductor.away = False
    agent.report()
    agent.report()
    assert conductor.leases == [("10.0.0.5", "aa", False, "h1")]


def test_remembered_leases_are_the_truth_and_what_was_seen_since(agent, conductor):
    held = tuple(
        FixedIp(address=f"10.0.0.{n}", network_id="real", mac=f"02:00:00:00:00:0{n}", leased=n < 3)
        for n in range(1, 5)
    )
    conductor.state = NetworkState(networks=(REAL,), fixed_ips=held)
    agent.heal()
    agent.leases.take(LeaseEvent("real", "02:00:00:00:00:01", "10.0.0.1", False))
    agent.leases.take(LeaseEvent("real", "02:00:00:00:00:04", "10.0.0.4", True))
    agent.leases.take(LeaseEvent("real", "02:00:00:00:00:09", "10.0.0.9", True))
    lines = [line.split()[1:] for line in agent.leases.remembered("real").splitlines()]
    assert lines == [
        ["02:00:00:00:00:02", "10.0.0.2", "*", "*"],
        ["02:00:00:00:00:04", "10.0.0.4", "*", "*"],
    ]
    assert agent.leases.remembered("other") == ""


def test_options_that_are_read_again_are_planned_by(agent, machine):
    agent.heal()
    woken = []
    agent.wake = Wakers(heal=lambda: woken.append("heal"))
    agent.work_by(msgspec.structs.replace(OPTIONS, default_mtu=1234))
    assert woken == ["heal"]
    agent.heal()
    before, after = (plan.bridges[0].mtu for plan, _ in machine.applied)
    assert (before, after) == (OPTIONS.default_mtu, 1234)
