"""nova-consoleauth put together."""

from __future__ import annotations

from nova import ids
from nova.consoleauth.endpoint import BINARY, Endpoint
from nova.context import system_context
from nova.daemon import Daemon, Parts, Surroundings
from nova.loops import Loops
from nova.objects.host import ServiceBeat
from nova.objects.ids import HostName
from nova.rpc.contracts.conductor.consoles import ConsoleTokens
from nova.rpc.contracts.conductor.reports import Reports
from nova.rpc.contracts.consoleauth import Consoleauth


def make_daemon(surroundings: Surroundings) -> Daemon:
    """Make nova-consoleauth."""
    return Daemon(BINARY, build, surroundings)


def build(surroundings: Surroundings, loops: Loops) -> Parts:
    """Build its parts: an endpoint and a heartbeat."""
    del loops
    host = HostName(surroundings.host)
    endpoint = Endpoint(host, surroundings.client(ConsoleTokens).any)
    reports = surroundings.client(Reports).any

    def beat() -> None:
        mine = ServiceBeat(host=host, binary=BINARY, topic="consoleauth")
        reports.heartbeat(system_context(ids.new_request_id()), [mine])

    return Parts(services=[surroundings.server(Consoleauth, endpoint)], beat=beat)
