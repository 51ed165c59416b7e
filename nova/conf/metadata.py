"""The metadata service.  The names of old, in groups DEFAULT, api and neutron, are still read."""

from __future__ import annotations

from typing import Any

import msgspec
from oslo_config import cfg

from nova.conf.options import count, seconds

GROUP = "metadata"


def _named(name: str, *groups: str) -> dict[str, Any]:
    return {"deprecated_opts": [cfg.DeprecatedOpt(name, group=group) for group in groups or ("DEFAULT",)]}


OPTIONS = [
    cfg.StrOpt("listen", default="0.0.0.0", help="Address to listen on.", **_named("metadata_listen")),
    cfg.PortOpt(
        "port",
        default=8775,
        help="Port to listen on; 0 takes any free one.",
        **_named("metadata_listen_port"),
    ),
    seconds(
        "cache_expiration",
        3.0,
        "How long a guest's metadata is remembered; 0 asks each time. An address that changes hands within "
        "that time may still be told what its former owner was",
        **_named("metadata_cache_expiration", "api", "DEFAULT"),
    ),
    cfg.BoolOpt(
        "use_forwarded_for",
        default=False,
        help="Believe X-Forwarded-For if the request comes from one of trusted_proxies.",
        **_named("use_forwarded_for", "api", "DEFAULT"),
    ),
    cfg.ListOpt(
        "trusted_proxies",
        default=["127.0.0.1", "::1"],
        help="Addresses or ranges of proxies that may say for whom they ask.",
    ),
    cfg.ListOpt(
        "server_names",
        default=[],
        help="Names with a dot under which guests may ask (header Host), besides any address.",
    ),
    cfg.BoolOpt(
        "service_metadata_proxy",
        default=False,
        help="Guests ask through a proxy that proves their instance id by a signature; no other way.",
        **_named("service_metadata_proxy", "neutron"),
    ),
    cfg.StrOpt(
        "metadata_proxy_shared_secret",
        default="",
        secret=True,
        help="Key of the proxy's signatures.",
        **_named("metadata_proxy_shared_secret", "neutron"),
    ),
    cfg.StrOpt(
        "vendordata_jsonfile_path",
        help="File with a JSON object that every guest finds in vendor_data.json.",
        **_named("vendordata_jsonfile_path", "api", "DEFAULT"),
    ),
    cfg.ListOpt(
        "vendordata_dynamic_targets",
        default=[],
        help="Services asked for vendor_data2.json, as name@url.",
        **_named("vendordata_dynamic_targets", "api", "DEFAULT"),
    ),
    cfg.StrOpt(
        "vendordata_dynamic_ssl_certfile",
        help="Certificates that may sign those of the services.",
        **_named("vendordata_dynamic_ssl_certfile", "api", "DEFAULT"),
    ),
    seconds(
        "vendordata_dynamic_read_timeout",
        5.0,
        "How long a service may take to answer",
        least=0.1,
        **_named("vendordata_dynamic_read_timeout", "api", "DEFAULT"),
    ),
    cfg.BoolOpt(
        "vendordata_dynamic_failure_fatal",
        default=False,
        help="Answer with an error when a service fails, instead of an empty object.",
        **_named("vendordata_dynamic_failure_fatal", "api", "DEFAULT"),
    ),
    count("rate", 100, "Requests a second one guest may make for long.", least=1),
    count("burst", 300, "Requests one guest may make at once.", least=1),
    count("in_flight", 8, "Requests of one guest that may be under way.", least=1),
    count("connections", 32, "Connections one guest may hold; proxies of the operator any number.", least=1),
    count("pool_size", 1000, "Connections one process serves at a time (eventlet).", least=1),
    count("threads", 32, "Threads that serve requests (threading).", least=1),
    seconds("keep_alive", 5.0, "How long an idle connection is kept", least=0.1),
]


class MetadataConf(msgspec.Struct, frozen=True, kw_only=True):
    """What the metadata service wants to know; the defaults are those of the options."""

    listen: str = "0.0.0.0"
    port: int = 8775
    cache_s: float = 3.0
    use_forwarded_for: bool = False
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    server_names: tuple[str, ...] = ()
    signed: bool = False
    secret: str = ""
    vendor_file: str | None = None
    vendor_targets: tuple[str, ...] = ()
    vendor_ca_file: str | None = None
    vendor_timeout_s: float = 5.0
    vendor_must_answer: bool = False
    rate: int = 100
    burst: int = 300
    in_flight: int = 8
    connections: int = 32
    pool_size: int = 1000
    threads: int = 32
    keep_alive_s: float = 5.0
    dhcp_domain: str = "novalocal"


def register(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTIONS, group=GROUP)


def read(conf: cfg.ConfigOpts) -> MetadataConf:
    """Return the options as one frozen value; ``dhcp_domain`` is registered with the networks."""
    group = conf[GROUP]
    return MetadataConf(
        listen=group.listen,
        port=group.port,
        cache_s=group.cache_expiration,
        use_forwarded_for=group.use_forwarded_for,
        trusted_proxies=tuple(group.trusted_proxies),
        server_names=tuple(group.server_names),
        signed=group.service_metadata_proxy,
        secret=group.metadata_proxy_shared_secret,
        vendor_file=group.vendordata_jsonfile_path,
        vendor_targets=tuple(group.vendordata_dynamic_targets),
        vendor_ca_file=group.vendordata_dynamic_ssl_certfile,
        vendor_timeout_s=group.vendordata_dynamic_read_timeout,
        vendor_must_answer=group.vendordata_dynamic_failure_fatal,
        rate=group.rate,
        burst=group.burst,
        in_flight=group.in_flight,
        connections=group.connections,
        pool_size=group.pool_size,
        threads=group.threads,
        keep_alive_s=group.keep_alive,
        dhcp_domain=conf.dhcp_domain,
    )
