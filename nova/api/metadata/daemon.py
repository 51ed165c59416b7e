"""nova-api-metadata: the metadata service as a daemon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nova.api.metadata.app import MetadataApp
from nova.api.metadata.lookup import Conductor, Lookup
from nova.api.metadata.rate import Turnstile
from nova.api.metadata.vendor_data import VendorSource
from nova.api.metadata.who import Identification
from nova.api.wsgi.peers import Peers
from nova.api.wsgi.server import HttpServer
from nova.clock import Clock
from nova.conf import metadata as metadata_conf
from nova.conf.metadata import MetadataConf
from nova.conf.wsgi import ServerConf
from nova.daemon import Daemon, Parts, Surroundings
from nova.loops import Loops
from nova.rpc.contracts.conductor.networks import Networks

if TYPE_CHECKING:
    from oslo_config import cfg

NAME = "nova-api-metadata"


def make_app(conf: MetadataConf, conductor: Conductor, clock: Clock) -> MetadataApp:
    """Put the application together.  Raises ``ValueError`` for options that contradict each other."""
    return MetadataApp(
        who=Identification(conf),
        lookup=Lookup(conductor, clock, conf.cache_s),
        turnstile=Turnstile(clock, rate=conf.rate, burst=conf.burst, in_flight=conf.in_flight),
        vendor=VendorSource(conf, clock),
        clock=clock,
        domain=conf.dhcp_domain,
    )


def make_server(conf: MetadataConf, conductor: Conductor, clock: Clock) -> HttpServer:
    """Make the HTTP server (a service of a daemon)."""
    listening = ServerConf(
        listen=conf.listen,
        port=conf.port,
        pool_size=conf.pool_size,
        threads=conf.threads,
        keep_alive_s=conf.keep_alive_s,
        drain_s=5.0,
    )
    peers = Peers(conf.connections, Identification(conf).asks_for_many)
    return HttpServer(
        make_app(conf, conductor, clock), listening, clock, name="metadata service", peers=peers
    )


def build(given: Surroundings, loops: Loops) -> Parts:  # noqa: ARG001
    """Make the parts of nova-api-metadata: one HTTP server."""
    conductor: Conductor = given.client(Networks).any
    server = make_server(metadata_conf.read(given.conf), conductor, given.clock)

    def reload(fresh: cfg.ConfigOpts) -> None:
        server.replace(make_app(metadata_conf.read(fresh), conductor, given.clock))

    return Parts(services=[server], reload=reload)


def make_daemon(given: Surroundings) -> Daemon:
    """Make the daemon."""
    return Daemon(NAME, build, given)
