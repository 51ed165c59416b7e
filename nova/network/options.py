"""What the operator chose for this host's networks, read once from the configuration."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from nova.objects.base import Value

if TYPE_CHECKING:
    from oslo_config import cfg

METADATA_ADDRESS = "169.254.169.254"
"""Where every guest looks for its metadata."""


class NetworkOptions(Value, frozen=True, kw_only=True):
    """Everything the network agent needs to know of the operator's wishes."""

    networks_path: str
    """Folder for dnsmasq's files and the lease socket; one for each agent on a machine."""
    lease_socket: str
    firewall_table: str = "nova-network"
    """The one table of packet rules that is ours."""
    public_interface: str | None = None
    """Addresses are translated only on the way out of this device; none: on the way out of any."""
    routing_source_ip: str | None = None
    """Translate to this address; none: to that of the outgoing device."""
    dmz_cidr: tuple[str, ...] = ()
    """Ranges that guests reach under their own addresses."""
    metadata_host: str | None = None
    """Address of the metadata service; none: this machine."""
    metadata_port: int = 8775
    metadata_connections: int = 64
    """Connections to the metadata service that one guest may have open."""
    dhcp_domain: str = "novalocal"
    dhcp_lease_time: int = 86400
    dns_servers: tuple[str, ...] = ()
    """Where dnsmasq asks when the network names none; empty: the machine's resolv.conf."""
    default_mtu: int | None = None
    dnsmasq_config_file: str | None = None
    dnsmasq_user: str = "nobody"
    dnsmasq_program: str = "dnsmasq"
    nft_program: str = "nft"
    dhcpbridge: str | None = None
    """Program that dnsmasq calls for leases; none: the one that comes with nova."""
    heal_interval: float = 60.0


def read(conf: cfg.ConfigOpts) -> NetworkOptions:
    """Take the options of group ``network`` over."""
    group = conf.network
    folder = os.path.abspath(group.networks_path)
    return NetworkOptions(
        networks_path=folder,
        lease_socket=group.lease_socket or os.path.join(folder, "leases.sock"),
        firewall_table=group.firewall_table,
        public_interface=group.public_interface,
        routing_source_ip=group.routing_source_ip,
        dmz_cidr=tuple(group.dmz_cidr),
        metadata_host=group.metadata_host,
        metadata_port=group.metadata_port,
        metadata_connections=group.metadata_connections,
        dhcp_domain=conf.dhcp_domain,
        dhcp_lease_time=group.dhcp_lease_time,
        dns_servers=tuple(group.dns_server),
        default_mtu=group.network_device_mtu,
        dnsmasq_config_file=group.dnsmasq_config_file,
        dnsmasq_user=group.dnsmasq_user,
        dnsmasq_program=group.dnsmasq_program,
        nft_program=group.nft_program,
        dhcpbridge=group.dhcpbridge,
        heal_interval=group.heal_interval,
    )
