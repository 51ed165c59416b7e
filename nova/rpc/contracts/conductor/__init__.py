"""nova-conductor: one class a resource, and their union.

Three topics with pools of their own: ``conductor`` (requests of the API and other mouths),
``conductor-reports`` (what agents and schedulers say and ask) and ``conductor-relay`` (requests that wait
for a host).  So a request that waits for a host never holds the pool in which that host reports.
"""

from __future__ import annotations

from nova.rpc.contracts.base import Common
from nova.rpc.contracts.conductor.catalog import Catalog
from nova.rpc.contracts.conductor.consoles import ConsoleTokens
from nova.rpc.contracts.conductor.head import part
from nova.rpc.contracts.conductor.hosts import Hosts
from nova.rpc.contracts.conductor.instances import Instances
from nova.rpc.contracts.conductor.networks import Networks
from nova.rpc.contracts.conductor.projects import Projects
from nova.rpc.contracts.conductor.relay import Relay
from nova.rpc.contracts.conductor.reports import Reports


@part
class Conductor(Instances, Catalog, Projects, Networks, Hosts, ConsoleTokens, Relay, Reports, Common):
    """All that the conductor answers."""
