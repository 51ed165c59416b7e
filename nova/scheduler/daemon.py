"""nova-scheduler put together: view, endpoint, loop."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import msgspec

from nova import ids
from nova.conf import scheduler as scheduler_options
from nova.conf.scheduler import SchedulerOptions
from nova.context import system_context
from nova.daemon import Daemon, Need, Parts, Surroundings
from nova.loops import Loops
from nova.objects.host import HostSnapshot, ServiceBeat
from nova.objects.ids import HostName
from nova.rpc.contracts.conductor.reports import Reports
from nova.rpc.contracts.scheduler import Scheduler
from nova.scheduler.endpoint import BINARY, Endpoint
from nova.scheduler.view import View

if TYPE_CHECKING:
    from oslo_config import cfg

TOPIC = "scheduler"

_PATIENCE_S = 10.0
"""How long the conductor may take to show its hosts.

Whoever waits for a decision waits for this, while another conductor may be well: with a view some seconds old
it is decided at once, and the question after that goes to the other.
"""


def make_daemon(surroundings: Surroundings, options: SchedulerOptions | None = None) -> Daemon:
    """Make nova-scheduler; ``options`` none: as configured."""
    return Daemon(BINARY, lambda around, loops: build(around, loops, options), surroundings)


def build(surroundings: Surroundings, loops: Loops, options: SchedulerOptions | None = None) -> Parts:
    """Build the parts of nova-scheduler."""
    options = options or scheduler_options.read(surroundings.conf)
    conductor = surroundings.client(Reports).any

    def fetch(since: int | None) -> HostSnapshot:
        ctx = msgspec.structs.replace(system_context(ids.new_request_id()), timeout_s=_PATIENCE_S)
        return conductor.host_views(ctx, since)

    source = random.Random(int.from_bytes(ids.new_seed(32)))
    view = View(fetch, options, surroundings.clock, source)
    interval = options.view_refresh_interval
    keep = loops.add("view", view.keep, interval, first_after_s=interval)
    view.wake = keep.wake

    def beat() -> None:
        beats = [ServiceBeat(host=HostName(surroundings.host), binary=BINARY, topic=TOPIC)]
        conductor.heartbeat(system_context(ids.new_request_id()), beats)

    def conductor_answers() -> bool:
        view.refresh()
        return True

    def reload(conf: cfg.ConfigOpts) -> None:
        view.decide_by(scheduler_options.read(conf))

    return Parts(
        services=[surroundings.server(Scheduler, Endpoint(view, surroundings.host))],
        needs=[Need("the conductor", conductor_answers)],
        beat=beat,
        reload=reload,
    )
