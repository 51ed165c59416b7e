"""nova-network put together: agent, endpoint, loops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nova import ids
from nova.context import system_context
from nova.daemon import Daemon, Need, Parts, Surroundings
from nova.loops import Loops
from nova.network import options as network_options
from nova.network.agent import TOPIC, Agent, Wakers
from nova.network.endpoint import BINARY, Endpoint
from nova.network.leases import LeaseListener
from nova.network.linux.machine import Machine
from nova.network.options import NetworkOptions
from nova.objects.host import ServiceBeat
from nova.objects.ids import HostName
from nova.rpc.contracts.conductor.reports import Reports
from nova.rpc.contracts.network import NetworkHost

if TYPE_CHECKING:
    from oslo_config import cfg

REPORT_AGAIN_S = 3.0
"""A report that the conductor did not take over is sent again after this."""
SERVE_AGAIN_S = 2.0
"""Jobs that could not be done because the conductor did not answer are tried again after this."""


def make_daemon(surroundings: Surroundings, options: NetworkOptions | None = None) -> Daemon:
    """Make nova-network for one host; ``options`` none: as configured."""
    return Daemon(BINARY, lambda around, loops: build(around, loops, options), surroundings)


def build(surroundings: Surroundings, loops: Loops, options: NetworkOptions | None = None) -> Parts:
    """Build the parts of nova-network."""
    host = HostName(surroundings.host)
    options = options or network_options.read(surroundings.conf)
    machine = Machine(options, host)
    conductor = surroundings.client(Reports).any
    agent = Agent(host, conductor, machine, options, surroundings.clock)
    agent.listener = LeaseListener(agent.leases, options.lease_socket, machine.dhcp.spools)
    serve = loops.add("serve", agent.serve, SERVE_AGAIN_S)
    report = loops.add("report", agent.report, REPORT_AGAIN_S)
    heal = loops.add("heal", agent.heal, options.heal_interval)
    agent.wake = Wakers(serve=serve.wake, report=report.wake, heal=heal.wake)
    agent.leases.on_event = report.wake

    def beat() -> None:
        beats = [ServiceBeat(host=host, binary=BINARY, topic=TOPIC)]
        conductor.heartbeat(system_context(ids.new_request_id()), beats)

    def conductor_answers() -> bool:
        agent.greet()
        return True

    def reload(conf: cfg.ConfigOpts) -> None:
        agent.work_by(network_options.read(conf))

    return Parts(
        services=[surroundings.server(NetworkHost, Endpoint(agent)), agent],
        needs=[Need("the conductor", conductor_answers)],
        beat=beat,
        reload=reload,
    )
