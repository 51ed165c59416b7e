"""Limits of request bodies, where operators of OpenStack look for them."""

from __future__ import annotations

from oslo_config import cfg

GROUP = "oslo_middleware"

OPTIONS = [
    cfg.IntOpt("max_request_body_size", default=114688, min=1, help="Longest request body (bytes)."),
]


def register(conf: cfg.ConfigOpts) -> None:
    """Make the options known to a configuration object."""
    conf.register_opts(OPTIONS, group=GROUP)
