"""nova-novncproxy put together."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from nova import ids
from nova.console.proxy import Proxy, ProxyOptions
from nova.context import system_context
from nova.daemon import Daemon, Parts, Surroundings
from nova.loops import Loops
from nova.objects.console import ConsoleAuthorization
from nova.rpc.contracts.consoleauth import Consoleauth

if TYPE_CHECKING:
    from oslo_config import cfg

NAME = "nova-novncproxy"


def make_daemon(surroundings: Surroundings) -> Daemon:
    """Make nova-novncproxy."""
    return Daemon(NAME, build, surroundings)


def build(surroundings: Surroundings, loops: Loops) -> Parts:
    """Build its one part, the proxy."""
    del loops
    group = surroundings.conf.vnc
    consoleauth = surroundings.client(Consoleauth).any

    def check(token: str) -> ConsoleAuthorization | None:
        found = consoleauth.check(system_context(ids.new_request_id()), token)
        return found if found is not None and found.protocol == "vnc" else None

    options = ProxyOptions(
        host=group.novncproxy_host,
        port=group.novncproxy_port,
        web=group.web if group.web and os.path.isdir(group.web) else "",
        allowed_origins=frozenset(group.allowed_origins),
    )
    proxy = Proxy(options, check, surroundings.clock)

    def reload(conf: cfg.ConfigOpts) -> None:
        origins = frozenset(conf.vnc.allowed_origins)
        proxy.options = msgspec.structs.replace(proxy.options, allowed_origins=origins)

    return Parts(services=[proxy], reload=reload)
