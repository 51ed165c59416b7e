"""Options for browsers that speak to the API from pages of other sites."""

from __future__ import annotations

import msgspec
from oslo_config import cfg

from nova.conf.options import count

GROUP = "cors"

_OURS = [
    "X-Auth-Token",
    "X-OpenStack-Request-ID",
    "X-OpenStack-Nova-API-Version",
    "OpenStack-API-Version",
]

OPTIONS = [
    cfg.ListOpt("allowed_origin", default=[], help="Origins whose pages may use the API; * for all."),
    cfg.BoolOpt("allow_credentials", default=True, help="Whether such pages may send cookies along."),
    cfg.ListOpt("expose_headers", default=_OURS, help="Answer headers that such pages may read."),
    count("max_age", 3600, "Seconds for which a browser may remember what is allowed."),
    cfg.ListOpt(
        "allow_methods", default=["GET", "PUT", "POST", "DELETE", "PATCH"], help="Methods such pages may use."
    ),
    cfg.ListOpt("allow_headers", default=_OURS, help="Request headers such pages may send."),
]


class CorsConf(msgspec.Struct, frozen=True, kw_only=True):
    """What pages of other sites may do."""

    origins: frozenset[str] = frozenset()
    credentials: bool = True
    expose_headers: tuple[str, ...] = tuple(_OURS)
    max_age_s: int = 3600
    methods: tuple[str, ...] = ("GET", "PUT", "POST", "DELETE", "PATCH")
    headers: tuple[str, ...] = tuple(_OURS)


def register(conf: cfg.ConfigOpts) -> None:
    """Make the options known to a configuration object."""
    conf.register_opts(OPTIONS, group=GROUP)


def read(conf: cfg.ConfigOpts) -> CorsConf:
    """Return the options as one frozen value."""
    group = conf[GROUP]
    return CorsConf(
        origins=frozenset(group.allowed_origin),
        credentials=group.allow_credentials,
        expose_headers=tuple(group.expose_headers),
        max_age_s=group.max_age,
        methods=tuple(group.allow_methods),
        headers=tuple(group.allow_headers),
    )
