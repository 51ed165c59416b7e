"""The conductor: leases, attempts, deadlines."""

from __future__ import annotations

from oslo_config import cfg

from nova.conf.options import count, seconds

GROUP = "conductor"

OPTIONS = [
    count("engine_threads", 2, "Batches of workflows that are driven at the same time.", least=1),
    seconds("lease", 3.0, "A conductor that gives no sign for this long loses its workflows", least=0.5),
    count("max_attempts", 3, "On how many hosts a server is tried before it is given up.", least=1),
    seconds("job_ask", 5.0, "A host is asked about a job it has not reported after this", least=0.05),
    seconds("job_ask_most", 60.0, "The pause between two such questions grows up to this", least=0.1),
    seconds("away", 900.0, "How long a workflow waits for a scheduler or service that is away"),
    seconds("image_cache", 30.0, "How long what is known of an image is believed"),
]

_DEFAULT = [
    count("shutdown_timeout", 60, "Seconds a guest may take to shut down before it is switched off."),
    cfg.StrOpt("default_availability_zone", default="nova", help="Zone of hosts without an aggregate's."),
    cfg.StrOpt("internal_service_availability_zone", default="internal", help="Zone of other daemons."),
]


def register(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTIONS, group=GROUP)
    conf.register_opts(_DEFAULT)
