"""Where things lie and who this machine is (``[DEFAULT]``)."""

from __future__ import annotations

import contextlib
import pathlib
import socket

import msgspec
from oslo_config import cfg

OPTIONS: tuple[cfg.Opt, ...] = (
    cfg.StrOpt("host", help="Name of this machine in the cloud; the system's host name by default."),
    cfg.StrOpt(
        "my_ip", help="Address of this machine for other hosts; by default that of the default route."
    ),
    cfg.StrOpt("state_path", default="/var/lib/nova", help="Folder of everything that outlives a restart."),
    cfg.StrOpt("run_path", default="", help="Folder of pid and socket files; state_path/run by default."),
)


class Paths(msgspec.Struct, frozen=True, kw_only=True):
    """The machine's name, address and folders, resolved."""

    host: str
    my_ip: str
    state: pathlib.Path
    run: pathlib.Path


def register(conf: cfg.ConfigOpts) -> None:
    """Make the options known to a configuration object."""
    conf.register_opts(OPTIONS)


def read(conf: cfg.ConfigOpts) -> Paths:
    """Return the options with the defaults that only the machine knows."""
    state = pathlib.Path(conf.state_path)
    return Paths(
        host=conf.host or socket.gethostname(),
        my_ip=conf.my_ip or _own_address(),
        state=state,
        run=pathlib.Path(conf.run_path) if conf.run_path else state / "run",
    )


def _own_address() -> str:
    """Return the source address of the default route; connecting a UDP socket sends nothing."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])
    return "127.0.0.1"
