"""Networks on hosts: nova-network's options.  The names of old, in group DEFAULT, are still read."""

from __future__ import annotations

from typing import Any

from oslo_config import cfg

from nova.conf.options import count, seconds

GROUP = "network"


def _named(name: str) -> dict[str, Any]:
    return {"deprecated_opts": [cfg.DeprecatedOpt(name, group="DEFAULT")]}


OPTIONS = [
    cfg.StrOpt(
        "networks_path",
        default="$state_path/networks",
        help="Folder for dnsmasq's files; agents that share a machine need one each.",
        **_named("networks_path"),
    ),
    cfg.StrOpt(
        "lease_socket",
        help="Unix socket on which dnsmasq's callback reports leases (at most 107 characters); "
        "default: leases.sock in networks_path.",
    ),
    cfg.StrOpt(
        "firewall_table",
        default="nova-network",
        regex=r"^[A-Za-z][A-Za-z0-9_.-]{0,60}$",
        help="Name of the one nftables table (family ip) that is nova-network's.",
    ),
    cfg.StrOpt(
        "public_interface",
        help="Translate guests' addresses only on the way out of this device; default: of any.",
        **_named("public_interface"),
    ),
    cfg.HostAddressOpt(
        "routing_source_ip",
        help="Address that guests are translated to; default: that of the outgoing device.",
        **_named("routing_source_ip"),
    ),
    cfg.ListOpt(
        "dmz_cidr",
        default=[],
        help="Ranges that guests reach under their own addresses.",
        **_named("dmz_cidr"),
    ),
    cfg.HostAddressOpt(
        "metadata_host",
        help="Address of nova-api-metadata; default: this machine, whatever its addresses are.",
        **_named("metadata_host"),
    ),
    cfg.PortOpt("metadata_port", default=8775, help="Port of nova-api-metadata.", **_named("metadata_port")),
    count(
        "metadata_connections",
        64,
        "Connections to the metadata service that one guest may have open; more are dropped.",
        least=1,
    ),
    cfg.IntOpt(
        "dhcp_lease_time",
        default=86400,
        min=120,
        help="How long a guest may use its address without asking again (seconds).",
        **_named("dhcp_lease_time"),
    ),
    cfg.ListOpt(
        "dns_server",
        default=[],
        help="Name servers that guests' questions go on to when their network names none; "
        "default: those of this machine.",
        **_named("dns_server"),
    ),
    cfg.IntOpt(
        "network_device_mtu",
        min=576,
        max=65535,
        help="MTU of bridges and guests when their network names none.",
        **_named("network_device_mtu"),
    ),
    cfg.StrOpt(
        "dnsmasq_config_file",
        help="More configuration for dnsmasq, read after ours.",
        **_named("dnsmasq_config_file"),
    ),
    cfg.StrOpt("dnsmasq_user", default="nobody", help="User that dnsmasq becomes after its start."),
    cfg.StrOpt("dnsmasq_program", default="dnsmasq", help="The dnsmasq to start."),
    cfg.StrOpt("nft_program", default="nft", help="The nft to change packet rules with."),
    cfg.StrOpt(
        "dhcpbridge",
        help="Program that dnsmasq calls for leases; default: the one that comes with nova.",
        **_named("dhcpbridge"),
    ),
    seconds("heal_interval", 60.0, "How often the whole host is looked at and repaired", least=0.05),
]

_DEFAULT = [
    cfg.StrOpt("dhcp_domain", default="novalocal", help="Domain of the guests' host names; may be empty."),
]


def register(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(_DEFAULT)
    conf.register_opts(OPTIONS, group=GROUP)
