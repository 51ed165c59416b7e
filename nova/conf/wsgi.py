"""Options of the HTTP server under the Compute API."""

from __future__ import annotations

import msgspec
from oslo_config import cfg

from nova.conf import bodies
from nova.conf.options import count, seconds

GROUP = "wsgi"

OPTIONS = [
    cfg.StrOpt("api_listen", default="0.0.0.0", help="Address the Compute API listens on."),
    cfg.PortOpt("api_listen_port", default=8774, help="Port of the Compute API; 0 takes any free one."),
    count("default_pool_size", 200, "Requests one process serves at a time (eventlet).", least=1),
    count("threads", 16, "Threads that serve requests (threading).", least=1),
    seconds("keep_alive", 75.0, "How long an idle connection is kept", least=0.1),
    count("backlog", 1024, "Connections the system may hold back for us.", least=1),
    seconds("drain", 30.0, "How long a stop waits for requests in flight"),
    cfg.BoolOpt("reuse_port", default=False, help="Share the port between processes (SO_REUSEPORT)."),
]


class ServerConf(msgspec.Struct, frozen=True, kw_only=True):
    """How to listen and serve HTTP."""

    listen: str = "0.0.0.0"
    port: int = 8774

    pool_size: int = 200
    threads: int = 16
    keep_alive_s: float = 75.0
    backlog: int = 1024
    drain_s: float = 30.0
    reuse_port: bool = False
    max_body: int = 114688
    """Bytes: longer bodies are not waited for before the application is asked (it refuses them)."""


def register(conf: cfg.ConfigOpts) -> None:
    """Make the options known to a configuration object."""
    conf.register_opts(OPTIONS, group=GROUP)


def read(conf: cfg.ConfigOpts) -> ServerConf:
    """Return the options as one frozen value."""
    group = conf[GROUP]
    return ServerConf(
        listen=group.api_listen,
        port=group.api_listen_port,
        pool_size=group.default_pool_size,
        threads=group.threads,
        keep_alive_s=group.keep_alive,
        backlog=group.backlog,
        drain_s=group.drain,
        reuse_port=group.reuse_port,
        max_body=conf[bodies.GROUP].max_request_body_size,
    )
