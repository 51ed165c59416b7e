"""nova-api: the Compute API as a daemon."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from oslo_config import cfg

from nova.api.compute import app
from nova.api.wsgi.middleware.cors import Cors
from nova.api.wsgi.middleware.pipeline import Filter
from nova.api.wsgi.response import WSGI
from nova.api.wsgi.server import HttpServer
from nova.conf import api as api_conf
from nova.conf import cors as cors_conf
from nova.conf import identity as identity_conf
from nova.conf import policy as policy_conf
from nova.conf import wsgi as wsgi_conf
from nova.daemon import Daemon, Parts, Surroundings
from nova.identity.choice import identity_of
from nova.image.choice import image_store
from nova.loops import Loops
from nova.rpc.contracts.conductor import Conductor

NAME = "nova-api"


def build(given: Surroundings, loops: Loops) -> Parts:  # noqa: ARG001
    """Make the parts of nova-api: one HTTP server over the Compute API."""
    conf = given.conf
    server = HttpServer(make_site(given, conf), wsgi_conf.read(conf), given.clock, name="compute API")

    def reload(fresh: cfg.ConfigOpts) -> None:
        server.replace(make_site(given, fresh))

    return Parts(services=[server], reload=reload)


def make_site(given: Surroundings, conf: cfg.ConfigOpts) -> WSGI:
    """Make the application by these options."""
    settings = api_conf.read(conf)
    policy = app.policy_of(policy_conf.read(conf), given.clock)
    return app.build(
        app.Parts(
            settings=settings,
            conductor=given.client(Conductor).any,
            identity=identity_of(settings.auth_strategy, conf, identity_conf.read(conf), given.clock),
            policy=policy,
            clock=given.clock,
            images=functools.cache(lambda: image_store(conf, given.clock)),
        ),
        extra_filters=_extra(conf),
    )


def daemon(given: Surroundings) -> Daemon:
    """Make the daemon."""
    return Daemon(NAME, build, given)


def _extra(conf: cfg.ConfigOpts) -> Sequence[Filter]:
    """Return the filters that configuration asks for."""
    allowed = cors_conf.read(conf)
    if not allowed.origins:
        return ()
    return (lambda wsgi: Cors(wsgi, allowed),)
