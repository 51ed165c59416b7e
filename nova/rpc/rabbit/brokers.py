"""Where the brokers are and how they are spoken to."""

from __future__ import annotations

import urllib.parse
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from oslo_config import cfg

_PORT, _TLS_PORT = 5672, 5671


class Broker(msgspec.Struct, frozen=True):
    """One node, and who we are there."""

    host: str
    port: int
    user: str
    password: str

    def __repr__(self) -> str:
        return f"{self.host}:{self.port}"


class Tls(msgspec.Struct, frozen=True):
    """Files; none means the system's authorities, and no certificate of our own."""

    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """A message system: one broker or several nodes of one."""

    brokers: tuple[Broker, ...]
    virtual_host: str = "/"
    tls: Tls | None = None
    heartbeat_s: float = 30.0
    quorum: bool = True


def read_url(
    url: str,
    *,
    tls: Tls | None = None,
    tls_files: Tls | None = None,
    heartbeat_s: float = 30.0,
    quorum: bool = True,
) -> Site:
    """Read ``rabbit://user:password@host:port[,user:password@host:port]/virtual-host[?ssl=1]``.

    ``tls_files`` is what TLS needs where the URL asks for it; ``tls`` asks for it whatever the URL says.
    Raises ``ValueError`` with what is wrong; the text never holds the password.
    """
    _, _, rest = url.partition("://")
    where, _, query = rest.partition("?")
    nodes, _, path = where.partition("/")
    options = dict(urllib.parse.parse_qsl(query))
    if tls is None and options.get("ssl", "").lower() in ("1", "true", "yes"):
        tls = tls_files or Tls()
    usual = _TLS_PORT if tls is not None else _PORT
    brokers = tuple(_read_node(node, usual) for node in nodes.split(",") if node)
    if not brokers:
        raise ValueError("it names no broker")
    return Site(
        brokers=brokers,
        virtual_host=urllib.parse.unquote(path) or "/",
        tls=tls,
        heartbeat_s=heartbeat_s,
        quorum=quorum,
    )


def _read_node(text: str, usual_port: int) -> Broker:
    # The message library takes several nodes with one scheme; urllib sees one at a time.
    parts = urllib.parse.urlsplit(f"rabbit://{text}")
    try:
        port = parts.port or usual_port
    except ValueError:
        raise ValueError("a port is not a number") from None
    if not parts.hostname:
        raise ValueError("a broker has no host name")
    unquote = urllib.parse.unquote
    return Broker(
        parts.hostname, port, unquote(parts.username or "guest"), unquote(parts.password or "guest")
    )


def site_of(conf: cfg.ConfigOpts, url: str) -> Site:
    """Read a URL and what ``[rpc]`` says about brokers."""
    ours = conf.rpc
    files = Tls(ours.ssl_ca_file, ours.ssl_cert_file, ours.ssl_key_file)
    return read_url(
        url,
        tls=files if ours.ssl else None,
        tls_files=files,
        heartbeat_s=ours.heartbeat,
        quorum=ours.quorum_queues,
    )
