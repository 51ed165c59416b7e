"""The identity source a configuration asks for; only that one is imported."""

from __future__ import annotations

from pathlib import Path

from oslo_config import cfg

from nova.clock import Clock
from nova.conf.identity import IdentityConf
from nova.identity.principal import Identity


def identity_of(strategy: str, conf: cfg.ConfigOpts, settings: IdentityConf, clock: Clock) -> Identity:
    """Return the source named by ``[api]auth_strategy``; ``conf`` holds ``[keystone_authtoken]``."""
    if strategy == "noauth2":
        from nova.identity.noauth import NoAuth

        return NoAuth()
    if strategy == "static":
        from nova.identity.static import StaticIdentity

        return StaticIdentity(Path(settings.tokens_file), clock)
    from nova.identity.cache import CachedIdentity
    from nova.identity.keystone import KeystoneProver

    return CachedIdentity(KeystoneProver(conf, clock), settings, clock)
