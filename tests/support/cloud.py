"""A whole cloud in this process: every daemon, real HTTP, in-memory transport, SQLite, fake hosts."""

from __future__ import annotations

import contextlib
import http.client
import json
import pathlib
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from oslo_config import cfg

from nova import ids
from nova.clock import Clock
from nova.conductor.world import World
from nova.conf import load
from nova.daemon import Daemon, Surroundings
from nova.db import flavors, migrate, networks
from nova.db.configured import database, prepared_url
from nova.embedded import Cloud
from nova.network.daemon import make_daemon as make_network
from nova.network.linux.machine import Applied
from nova.network.plan import HostPlan
from nova.objects.flavor import Flavor
from nova.objects.holdings import NetworkHoldings
from nova.objects.ids import FlavorId, HostName, NetworkId
from nova.objects.network import Network, Topology
from nova.rpc.transport import Transport, make_transport
from tests.support.conductors import conductor
from tests.support.costs import Meter
from tests.support.microversions import NEWEST

T = TypeVar("T")

DAEMONS = (
    "nova-conductor",
    "nova-scheduler",
    "nova-network",
    "nova-compute",
    "nova-consoleauth",
    "nova-api",
)

OPTIONS = """
[DEFAULT]
host = one
state_path = {home}
transport_url = {transport}
compute_driver = fake
report_interval = 1.0
[database]
connection = {database}
[api]
auth_strategy = noauth2
[wsgi]
api_listen = 127.0.0.1
api_listen_port = 0
[health]
enabled = false
[image]
store = directory
directory = {home}/images
[fake]
hosts = {hosts}
[conductor]
job_ask = 1.0
lease = 2.0
[scheduler]
view_stale_after = 0.05
[quota]
instances = 1000
cores = 10000
ram = 10000000
{extra}
"""


def eventually(fact: Callable[[], T], *, timeout_s: float = 30.0, pause_s: float = 0.02) -> T:
    """Wait for a fact to be true; return it.  An AssertionError of the fact counts as not yet."""
    deadline = time.monotonic() + timeout_s
    while True:
        problem: AssertionError | None = None
        try:
            found = fact()
            if found:
                return found
        except AssertionError as error:
            problem = error
        if time.monotonic() > deadline:
            raise AssertionError(f"not true within {timeout_s} s: {problem or fact}")
        time.sleep(pause_s)


class Answer:
    """Status, headers and decoded body of an HTTP answer."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = json.loads(body) if body else None

    def __repr__(self) -> str:
        return f"<{self.status} {self.body}>"


class User:
    """Somebody who speaks to the API; noauth2 believes every word of the token."""

    def __init__(self, port: int, name: str, project: str, version: str = NEWEST) -> None:
        self.port = port
        self.project = project
        self.token = f"{name}:{project}"
        self.version = version

    def ask(self, method: str, path: str, body: Any = None, *, version: str | None = None) -> Answer:
        """Send one request below /v2.1."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {
            "X-Auth-Token": self.token,
            "OpenStack-API-Version": f"compute {version or self.version}",
        }
        data = None
        if body is not None:
            data = json.dumps(body)
            headers["Content-Type"] = "application/json"
        connection.request(method, f"/v2.1{path}", data, headers)
        answer = connection.getresponse()
        found = Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        connection.close()
        return found

    def boot(self, image: str, flavor: str = "1", name: str = "web", **more: Any) -> str:
        """Create a server; return its id."""
        wish = {"name": name, "imageRef": image, "flavorRef": flavor, "networks": "none"} | more
        answer = self.ask("POST", "/servers", {"server": wish})
        assert answer.status == 202, answer
        return str(answer.body["server"]["id"])

    def server(self, server: str) -> dict[str, Any]:
        """Show a server."""
        answer = self.ask("GET", f"/servers/{server}")
        assert answer.status == 200, answer
        found: dict[str, Any] = answer.body["server"]
        return found

    def wait(self, server: str, status: str, timeout_s: float = 30.0) -> dict[str, Any]:
        """Wait until a server has a status and nothing is under way; fail at once on ERROR."""

        def there() -> dict[str, Any] | None:
            found = self.server(server)
            if found["status"] == "ERROR" != status:
                raise RuntimeError(f"the server is in ERROR: {found.get('fault')}")
            idle = found.get("OS-EXT-STS:task_state") is None
            return found if found["status"] == status and idle else None

        found = eventually(there, timeout_s=timeout_s)
        assert found is not None
        return found

    def act(self, server: str, action: str, argument: Any = None) -> Answer:
        """Send an action."""
        return self.ask("POST", f"/servers/{server}/action", {action: argument})

    def wait_gone(self, server: str) -> None:
        """Wait until a server is not found."""
        eventually(lambda: self.ask("GET", f"/servers/{server}").status == 404)


class Bench:
    """A running cloud with handles to its parts."""

    def __init__(self, cloud: Cloud, conf: Any, image: str, port: int) -> None:
        self.cloud = cloud
        self.conf = conf
        self.image = image
        self.admin = User(port, "admin", "admin")
        self.demo = User(port, "demo", "demo")
        self.other = User(port, "other", "other")
        self.port = port


@contextlib.contextmanager
def running_cloud(
    home: pathlib.Path,
    *,
    hosts: int = 1,
    extra: str = "",
    topology: Topology = Topology.NONE,
    daemons: tuple[str, ...] = DAEMONS,
    transport: str = "memory:///{name}",
    database: str = "sqlite:///{home}/nova.sqlite",
    conductors: int = 1,
    network_hosts: int = 1,
    clock: Clock | None = None,
    meter: Meter | None = None,
    tokens: Mapping[str, str] | None = None,
    around: Callable[[Transport], Transport] | None = None,
) -> Iterator[Bench]:
    """Run a cloud below ``home`` with flavors, an image, and a network that needs nothing of a host.

    With ``network_hosts`` above one, there are as many networks more, each served by another host, on paper.
    A ``meter`` counts its messages and SQL statements; ``tokens`` are those of ``admin``, ``demo`` and
    ``other`` where an identity service makes them; ``around`` puts something around the transport.
    """
    conf = configured(home, hosts=hosts, extra=extra, transport=transport, database=database)
    migrate.upgrade(prepared_url(conf))
    seed(conf, topology)
    below = make_transport(conf)
    if around is not None:
        below = around(below)
    surroundings = Surroundings(conf, transport=meter.around(below) if meter else below, clock=clock)
    cloud = made(surroundings, daemons, conductors, network_hosts)
    if meter is not None:
        db = world_of(cloud).db
        db.observer, db.disturb = meter.statement, meter.disturb
    if network_hosts > 1:
        seed_served(conf, [d.host for d in cloud.daemons if d.name == "nova-network"])
    cloud.start()
    try:
        assert cloud.wait_serving(60), {d.name: (d.state, d.waiting_for) for d in cloud.daemons}
        bench = Bench(cloud, conf, surroundings_image(conf), api_port(cloud))
        for name, token in (tokens or {}).items():
            getattr(bench, name).token = token
        eventually(lambda: hosts_up(bench) >= hosts)
        yield bench
    finally:
        cloud.stop(5.0)


def configured(
    home: pathlib.Path, *, hosts: int, extra: str, transport: str, database: str
) -> cfg.ConfigOpts:
    """Write the configuration of a cloud below ``home``, and an image; return it read."""
    home.mkdir(parents=True, exist_ok=True)
    file = home / "nova.conf"
    text = OPTIONS.format(
        home=home,
        hosts=hosts,
        extra=extra,
        transport=transport.format(name=ids.new_uuid()),
        database=database.format(home=home),
    )
    file.write_text(text)
    (home / "images").mkdir(exist_ok=True)
    (home / "images" / "tiny.raw").write_bytes(b"\0" * 4096)
    return load(["--config-file", str(file)], program="nova-all")


def made(surroundings: Surroundings, daemons: tuple[str, ...], conductors: int, network_hosts: int) -> Cloud:
    """Make a cloud that is not started yet; its conductors can be killed and frozen."""
    cloud = Cloud(surroundings, tuple(d for d in daemons if d != "nova-conductor"))
    if "nova-conductor" in daemons:
        names = [surroundings.host, *(f"conductor-{number}" for number in range(2, conductors + 1))]
        cloud.daemons[:0] = [conductor(surroundings, name) for name in names]
    if network_hosts > 1:
        cloud.daemons.extend(
            make_network(surroundings.at(f"network-{number}")) for number in range(2, network_hosts + 1)
        )
        for daemon in cloud.daemons:
            if daemon.name == "nova-network":
                put_on_paper(daemon)
    return cloud


class Paper:
    """A machine of which nova-network changes nothing."""

    def apply(self, plan: HostPlan, *, look: bool) -> Applied:
        """Say that all is well."""
        del plan, look
        return Applied()

    def holdings(self, host: HostName) -> NetworkHoldings:
        """Say that there is nothing."""
        return NetworkHoldings(host=host)


def put_on_paper(daemon: Daemon) -> None:
    """Let a nova-network serve its networks without touching the machine that the tests run on."""
    agent: Any = daemon.parts.services[1]
    agent._machine = Paper()
    agent.listener = None


def seed_served(conf: Any, hosts: list[str]) -> None:
    """Make a network with DHCP for each of these network hosts."""
    db = database(conf)
    for number, host in enumerate(hosts):
        network = Network(
            id=NetworkId(ids.derived_uuid("served", host)),
            label=f"served-{number}",
            cidr=f"10.{30 + number}.0.0/16",
            gateway=f"10.{30 + number}.0.1",
            dhcp_start=f"10.{30 + number}.0.2",
            topology=Topology.FLAT_DHCP,
            host=HostName(host),
        )
        db.run(lambda tx, network=network: networks.insert(tx, network))
    db.close()


def hosts_up(bench: Bench) -> int:
    """Count the hypervisors that can be used."""
    found = bench.admin.ask("GET", "/os-hypervisors/detail").body["hypervisors"]
    return sum(1 for one in found if one["state"] == "up")


def seed(conf: Any, topology: Topology) -> None:
    """Make flavors and a network."""
    db = database(conf)
    if not db.read(flavors.all_flavors):
        for number, ram in (("1", 512), ("2", 2048)):
            flavor = Flavor(id=FlavorId(number), name=f"f{number}", vcpus=1, ram_mb=ram, root_gb=1)
            db.run(lambda tx, flavor=flavor: flavors.insert(tx, flavor))
        network = Network(
            id=NetworkId(ids.new_uuid()),
            label="private",
            cidr="10.20.0.0/16",
            gateway="10.20.0.1",
            dhcp_start="10.20.0.2",
            topology=topology,
        )
        db.run(lambda tx: networks.insert(tx, network))
    db.close()


def surroundings_image(conf: Any) -> str:
    """Return the id of the image ``tiny``."""
    from nova.image.base import ImageQuery
    from nova.image.choice import image_store

    return str(image_store(conf).list(ImageQuery())[0].id)


def world_of(cloud: Cloud) -> World:
    """Return what the conductor works with."""
    conductor = next(d for d in cloud.daemons if d.name == "nova-conductor")
    service: Any = conductor.parts.services[0]
    world: World = service.world
    return world


def api_port(cloud: Cloud) -> int:
    """Return the port of the Compute API."""
    api = next(d for d in cloud.daemons if d.name == "nova-api")
    server: Any = api.parts.services[0]
    return int(server.address[1])
