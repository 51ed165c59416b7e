"""nova-conductor put together: database, engine, endpoint, loops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nova import ids
from nova.conductor import settings as conductor_settings
from nova.conductor.endpoint import ConductorEndpoint
from nova.conductor.engine.engine import Engine
from nova.conductor.images import ImageFacts
from nova.conductor.liveness import Liveness
from nova.conductor.reconcile.filter_news import FilterNews
from nova.conductor.reconcile.late_jobs import LateJobs
from nova.conductor.reconcile.recover import Recover
from nova.conductor.reconcile.tidy import Tidy
from nova.conductor.workflows import CATALOG
from nova.conductor.world import World
from nova.daemon import Daemon, Need, Parts, Surroundings
from nova.db import migrate, services
from nova.db.configured import database, prepared_url
from nova.db.engine import Database, again
from nova.image.choice import image_store
from nova.loops import Loops
from nova.objects.host import ServiceBeat
from nova.objects.ids import HostName
from nova.rpc.contracts.compute import Compute
from nova.rpc.contracts.conductor import Conductor
from nova.rpc.contracts.consoleauth import Consoleauth
from nova.rpc.contracts.network import NetworkHost
from nova.rpc.contracts.scheduler import Scheduler

if TYPE_CHECKING:
    from oslo_config import cfg

BINARY = "nova-conductor"


class EngineService:
    """The engine as a part of the daemon."""

    def __init__(self, world: World) -> None:
        self.world = world

    def start(self) -> None:
        """Begin to drive workflows."""
        self.world.engine.start(self.world.settings.engine_threads)

    def stop(self, timeout_s: float) -> bool:
        """Finish the transactions at hand and leave the rest to other conductors."""
        self.world.engine.stop(timeout_s)
        return True


def make_daemon(surroundings: Surroundings) -> Daemon:
    """Make nova-conductor."""
    return Daemon(BINARY, build, surroundings)


def make_world(surroundings: Surroundings, db: Database) -> World:
    """Make the surroundings of services, steps and loops, engine included."""
    settings = conductor_settings.read(surroundings.conf)
    clock = surroundings.clock
    images = image_store(surroundings.conf, clock)
    world = World(
        owner=ids.new_uuid(),
        host=surroundings.host,
        db=db,
        clock=clock,
        settings=settings,
        liveness=Liveness(clock, service_down_s=settings.service_down_s, lease_s=settings.lease_s),
        images=images,
        facts=ImageFacts(images, clock, settings.image_cache_s),
        scheduler=surroundings.client(Scheduler),
        compute=surroundings.client(Compute),
        network=surroundings.client(NetworkHost),
        consoleauth=surroundings.client(Consoleauth),
    )
    world.engine = Engine(world, CATALOG)
    return world


def build(surroundings: Surroundings, loops: Loops) -> Parts:
    """Build the parts of nova-conductor."""
    db = database(surroundings.conf, surroundings.clock)
    world = make_world(surroundings, db)
    recover, late_jobs, news = Recover(world), LateJobs(world), FilterNews(world)
    world.on_end = news.note
    lease = world.settings.lease_s
    loops.add("lease", recover.beat, lease / 3)
    loops.add("recover", recover.take_over, lease / 3)
    loops.add("services", recover.watch_services, min(5.0, world.settings.service_down_s / 3))
    loops.add("filter news", news.tell, 1.0)
    loops.add("tidy", Tidy(world).look, 60.0)
    loops.add("late jobs", late_jobs.look, min(2.0, world.settings.job_ask_s / 2))

    def schema_is_there() -> bool:
        if not migrate.can_serve(migrate.version(prepared_url(surroundings.conf))):
            return False
        recover.beat()
        recover.watch_services()
        return True

    def beat() -> None:
        mine = ServiceBeat(host=HostName(surroundings.host), binary=BINARY, topic="conductor")
        db.run(lambda tx: services.beat(tx, [mine]), settled=again)

    def reload(conf: cfg.ConfigOpts) -> None:
        fresh = conductor_settings.read(conf)
        world.settings = fresh
        world.liveness.judge_by(service_down_s=fresh.service_down_s, lease_s=fresh.lease_s)

    return Parts(
        services=[EngineService(world), surroundings.server(Conductor, ConductorEndpoint(world))],
        needs=[Need("the database with its schema (nova-manage db sync)", schema_is_there)],
        beat=beat,
        reload=reload,
        close=db.close,
    )
