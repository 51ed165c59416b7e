"""Logging: the options of oslo.log on a private configuration."""

from __future__ import annotations

from oslo_config import cfg

_QUIET = [
    "amqp=WARN",
    "alembic=INFO",
    "alembic.runtime.plugins=WARN",
    "eventlet.wsgi.server=WARN",
    "keystoneauth=WARN",
    "keystonemiddleware=WARN",
    "oslo.messaging=INFO",
    "oslo_messaging=INFO",
    "oslo_policy=WARN",
    "routes.middleware=WARN",
    "sqlalchemy=WARN",
    "stevedore=WARN",
    "urllib3.connectionpool=WARN",
]


def register(conf: cfg.ConfigOpts) -> None:
    from oslo_log import log as oslo_log

    oslo_log.register_options(conf)
    conf.set_default("default_log_levels", _QUIET)
