"""Options of how callers are known; Keystone's own options are in ``[keystone_authtoken]``."""

from __future__ import annotations

import msgspec
from oslo_config import cfg

GROUP = "identity"

OPTIONS: tuple[cfg.Opt, ...] = (
    cfg.FloatOpt(
        "token_cache_seconds",
        default=60.0,
        min=0.0,
        help="How long a validated token is believed without asking Keystone again. This is also how long a "
        "revoked token still works; 0 asks every time. With [keystone_authtoken]memcached_servers set, "
        "token_cache_time of that group comes on top.",
    ),
    cfg.IntOpt("token_cache_size", default=10_000, min=1, help="How many validated tokens are kept."),
    cfg.StrOpt("tokens_file", default="", help="File of tokens for auth_strategy = static (JSON)."),
)


class IdentityConf(msgspec.Struct, frozen=True, kw_only=True):
    """What identity sources want to know."""

    token_cache_seconds: float = 60.0
    token_cache_size: int = 10_000
    tokens_file: str = ""


def register(conf: cfg.ConfigOpts) -> None:
    """Make the options known to a configuration object."""
    conf.register_opts(OPTIONS, group=GROUP)


def read(conf: cfg.ConfigOpts) -> IdentityConf:
    """Return the options as one frozen value."""
    group = conf[GROUP]
    return IdentityConf(
        token_cache_seconds=group.token_cache_seconds,
        token_cache_size=group.token_cache_size,
        tokens_file=group.tokens_file,
    )
