"""Networks, addresses and interfaces.  Addresses are decided in SQL only; hosts follow."""

from __future__ import annotations

import datetime
import enum

from nova.objects.base import Value
from nova.objects.ids import HostName, InstanceId, NetworkId, ProjectId, VifId


class Topology(enum.StrEnum):
    """How a network is made on the hosts (the network managers)."""

    FLAT_DHCP = "flat_dhcp"
    FLAT = "flat"
    VLAN = "vlan"
    NONE = "none"
    """Nothing is made on any host (fake clouds): addresses alone are kept."""


class Network(Value, frozen=True, kw_only=True):
    """A network of the operator."""

    id: NetworkId
    label: str
    cidr: str
    """IPv4 range, ``a.b.c.d/n``."""
    topology: Topology = Topology.FLAT_DHCP
    gateway: str | None = None
    dhcp_server: str | None = None
    dhcp_start: str | None = None
    dns: tuple[str, ...] = ()
    bridge: str | None = None
    bridge_interface: str | None = None
    vlan: int | None = None
    mtu: int | None = None
    multi_host: bool = False
    host: HostName | None = None
    """The host whose nova-network serves it when it is not multi-host."""
    project_id: ProjectId | None = None
    """None: open to every project."""
    cidr_v6: str | None = None
    gateway_v6: str | None = None
    enable_dhcp: bool = True
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None


class NetworkWish(Value, frozen=True, kw_only=True):
    """One network a user asks for at create, in order."""

    network_id: NetworkId | None = None
    fixed_ip: str | None = None
    port_id: VifId | None = None
    tag: str | None = None


class NetworkChoice(enum.StrEnum):
    """What a request says about networks when it names none."""

    LEGACY = "legacy"
    """No word (before 2.37): every network the project may use."""
    AUTO = "auto"
    NONE = "none"
    LISTED = "listed"


class Vif(Value, frozen=True, kw_only=True):
    """A virtual interface with all that a guest, a host and a view need to know of it."""

    id: VifId
    mac: str
    network_id: NetworkId
    label: str
    """The network's label: the key of the API's ``addresses``."""
    addresses: tuple[str, ...] = ()
    """Fixed addresses, IPv4 before IPv6."""
    floating: dict[str, tuple[str, ...]] = {}
    """Fixed address to its floating addresses."""
    cidr: str = ""
    gateway: str | None = None
    dns: tuple[str, ...] = ()
    dhcp_server: str | None = None
    bridge: str | None = None
    mtu: int | None = None
    topology: Topology = Topology.FLAT_DHCP
    tag: str | None = None

    @property
    def device(self) -> str:
        """Name of the tap device on the host (at most 15 characters)."""
        return f"tap{self.id[:11]}"


class FixedIp(Value, frozen=True, kw_only=True):
    """An address of a network and who holds it."""

    address: str
    network_id: NetworkId
    instance_id: InstanceId | None = None
    vif_id: VifId | None = None
    mac: str | None = None
    hostname: str | None = None
    host: HostName | None = None
    """Host of the instance that holds it."""
    leased: bool = False
    reserved: bool = False


class SecurityRule(Value, frozen=True, kw_only=True):
    """One allowance of a security group; inbound."""

    id: str
    protocol: str | None = None
    """tcp, udp, icmp, lower case; none = any."""
    from_port: int | None = None
    """For icmp the type; -1 or none = all."""
    to_port: int | None = None
    cidr: str | None = None
    source_group_id: str | None = None
    source_group_name: str | None = None
    source_project_id: ProjectId | None = None


class SecurityGroup(Value, frozen=True, kw_only=True):
    """A named set of allowances of a project."""

    id: str
    name: str
    project_id: ProjectId
    description: str = ""
    rules: tuple[SecurityRule, ...] = ()


class FilterRule(Value, frozen=True, kw_only=True):
    """A security rule resolved for a host: source groups have become addresses."""

    protocol: str | None = None
    from_port: int | None = None
    to_port: int | None = None
    cidrs: tuple[str, ...] = ()
    """Empty: from nowhere."""


class NetworkState(Value, frozen=True, kw_only=True):
    """All that one nova-network must have on its host: the truth, whole."""

    networks: tuple[Network, ...] = ()
    fixed_ips: tuple[FixedIp, ...] = ()
    """The held addresses of those networks (for the DHCP hosts file)."""


class GuestFilter(Value, frozen=True, kw_only=True):
    """The interfaces of one guest and what may reach it."""

    instance_id: InstanceId
    vifs: tuple[Vif, ...] = ()
    rules: tuple[FilterRule, ...] = ()
