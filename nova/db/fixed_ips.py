"""Fixed addresses: who holds which.  A row is there while an address is held or reserved.

All who take addresses of a network meet at its row: one UPDATE moves its cursor on, which locks it until the
commit, so no address is ever given twice however many ask.  Released addresses are not given again before
the cursor has gone around.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from nova.db.batch import Insert
from nova.db.engine import Row, Tx
from nova.db.instance_table import INSTANCES, T
from nova.db.networks import NETWORKS, decode
from nova.db.schema import BIG, FLAG, NAME, UUID, WORD, arg, args, needed, table, text
from nova.db.statements import Statement
from nova.errors import NotFound
from nova.errors.servers import FixedIpInUse, FixedIpInvalid, NoMoreAddresses
from nova.objects.ids import HostName, InstanceId, NetworkId, ProjectId, VifId
from nova.objects.network import FixedIp, Network

FIXED_IPS = table(
    "fixed_ips",
    sa.Column("network_id", UUID, primary_key=True),
    sa.Column("address", text(39), primary_key=True),
    needed("number", BIG),
    needed("instance_id", UUID),
    needed("vif_id", UUID),
    needed("mac", WORD),
    needed("hostname", NAME),
    needed("host", NAME),
    needed("leased", FLAG),
    needed("reserved", FLAG),
    sa.Index("fixed_ips_numbers", "network_id", "number"),
    sa.Index("fixed_ips_of_instance", "instance_id"),
    sa.Index("fixed_ips_of_vif", "vif_id"),
    sa.Index("fixed_ips_addresses", "address"),
)
"""``number`` is the IPv4 address as a number, 0 for IPv6."""
F, N = FIXED_IPS.c, NETWORKS.c
_COLUMNS = ("address", "network_id", "instance_id", "vif_id", "mac", "hostname", "host", "leased", "reserved")
_INSERT = Insert(FIXED_IPS, (*_COLUMNS, "number"))
_SELECT = sa.select(*(F[name] for name in _COLUMNS))


class AddressWant(msgspec.Struct, frozen=True, kw_only=True):
    """An interface that wants an address of a network, a certain one or any."""

    instance_id: InstanceId
    vif_id: VifId
    mac: str
    network_id: NetworkId
    fixed_ip: str | None = None
    hostname: str = ""
    host: HostName | None = None


_BUMP = Statement(
    sa.update(NETWORKS)
    .values(cursor=N.cursor + arg("n", BIG))
    .where(N.id == arg("id"), N.cursor + arg("n", BIG) <= N.last + 1)
)
_LOCK = Statement(sa.update(NETWORKS).values(cursor=N.cursor).where(N.id == arg("id")))
_PLACE = Statement(sa.update(NETWORKS).values(cursor=arg("cursor", BIG)).where(N.id == arg("id")))
_WINDOW = Statement(
    sa.select(N.cursor, F.number, N.body)
    .select_from(
        NETWORKS.outerjoin(
            FIXED_IPS,
            sa.and_(F.network_id == N.id, F.number >= N.cursor - arg("n", BIG), F.number < N.cursor),
        )
    )
    .where(N.id == arg("id"))
)
_BOUNDS = Statement(sa.select(N.first, N.last, N.cursor, N.body).where(N.id == arg("id")))
_NUMBERS = Statement(sa.select(F.number).where(F.network_id == arg("id")))
_OF_VIFS = Statement(_SELECT.where(F.vif_id.in_(args("ids"))))
_TAKEN = Statement(sa.select(F.address).where(F.network_id == arg("id"), F.address.in_(args("addresses"))))


def allocate(
    tx: Tx, wants: Sequence[AddressWant], *, first_time: bool = False
) -> dict[VifId, tuple[str, ...]]:
    """Give every interface an IPv4 address, and its IPv6 one if its network has a range.

    Three statements a network, however many want.  An interface that has addresses already keeps them;
    ``first_time`` promises that none has (and saves a statement).  Raises ``NoMoreAddresses``,
    ``FixedIpInUse``, ``FixedIpInvalid`` and ``NotFound``; then the transaction must be undone.
    """
    held: dict[VifId, list[str]] = {}
    if not first_time:
        for ip in of_vifs(tx, [want.vif_id for want in wants]):
            held.setdefault(VifId(ip.vif_id or ""), []).append(ip.address)
    by_network: dict[NetworkId, list[AddressWant]] = {}
    for want in wants:
        if want.vif_id not in held:
            by_network.setdefault(want.network_id, []).append(want)
    rows: list[Row] = []
    # In order of id, so that two that want of the same networks wait for each other and do not lock up.
    for network_id, group in sorted(by_network.items()):
        rows.extend(_rows_of(tx, network_id, group))
    if rows:
        _INSERT.run(tx, rows)
    for row in rows:
        held.setdefault(row[3], []).append(row[0])
    return {want.vif_id: tuple(sorted(held[want.vif_id], key=lambda a: ":" in a)) for want in wants}


def _rows_of(tx: Tx, network_id: NetworkId, wants: list[AddressWant]) -> list[Row]:
    any_one = [want for want in wants if want.fixed_ip is None]
    certain = [want for want in wants if want.fixed_ip is not None]
    network, numbers = _free_numbers(tx, network_id, len(any_one))
    given = dict(zip((want.vif_id for want in any_one), numbers, strict=True))
    if certain:
        given |= _certain_numbers(tx, network, certain, set(numbers))
    rows = []
    for want in wants:
        rows.append(_row(network_id, str(ipaddress.IPv4Address(given[want.vif_id])), want))
        if network.cidr_v6:
            rows.append(_row(network_id, address_v6(network.cidr_v6, want.mac), want))
    return rows


def _free_numbers(tx: Tx, network_id: NetworkId, n: int) -> tuple[Network, list[int]]:
    if n and tx.change(_BUMP, id=network_id, n=n):
        window = tx.rows(_WINDOW, id=network_id, n=n)
        cursor: int = window[0][0]
        network = decode(window[0][2])
        held = {row[1] for row in window} | _own(network)
        free = [number for number in range(cursor - n, cursor) if number not in held]
        if len(free) == n:
            return network, free
    elif not tx.change(_LOCK, id=network_id):
        raise NotFound(what="Network", id=network_id)
    return _search(tx, network_id, n)


def _search(tx: Tx, network_id: NetworkId, n: int) -> tuple[Network, list[int]]:
    """Look at all that is held, from the cursor around; the caller holds the network's row."""
    bounds = tx.row(_BOUNDS, id=network_id)
    assert bounds is not None
    first, last, cursor, body = bounds
    network = decode(body)
    if not n:
        return network, []
    held = {row[0] for row in tx.rows(_NUMBERS, id=network_id)} | _own(network)
    start = max(first, min(cursor, last + 1))
    free: list[int] = []
    for number in (*range(start, last + 1), *range(first, start)):
        if number not in held:
            free.append(number)
            if len(free) == n:
                tx.change(_PLACE, id=network_id, cursor=number + 1)
                return network, free
    raise NoMoreAddresses(network=network_id)


def _certain_numbers(
    tx: Tx, network: Network, wants: Sequence[AddressWant], given: set[int]
) -> dict[VifId, int]:
    """Check the addresses that are asked for by name; the caller holds the network's row."""
    named = [want.fixed_ip or "" for want in wants]
    numbers = require_free(tx, network, named)
    for address, number in zip(named, numbers, strict=True):
        if number in given:
            raise FixedIpInUse(address=address)
    return dict(zip((want.vif_id for want in wants), numbers, strict=True))


def require_free(tx: Tx, network: Network, addresses: Sequence[str]) -> list[int]:
    """Return addresses asked for by name as numbers; raise ``FixedIpInvalid`` and ``FixedIpInUse``."""
    cidr = ipaddress.IPv4Network(network.cidr)
    held = _own(network)
    numbers: list[int] = []
    for name in addresses:
        try:
            address = ipaddress.IPv4Address(name)
        except ValueError:
            raise FixedIpInvalid(address=name, network=network.id) from None
        if address not in cidr or (cidr.prefixlen < 31 and address in {cidr[0], cidr[-1]}):
            raise FixedIpInvalid(address=name, network=network.id)
        if int(address) in held:
            raise FixedIpInUse(address=name)
        held.add(int(address))
        numbers.append(int(address))
    names = [str(ipaddress.IPv4Address(number)) for number in numbers]
    taken = tx.row(_TAKEN, id=network.id, addresses=names) if names else None
    if taken is not None:
        raise FixedIpInUse(address=taken[0])
    return numbers


def _own(network: Network) -> set[int]:
    """Return what guests never get: a guest with its gateway's address would have its neighbours' traffic."""
    return {int(ipaddress.IPv4Address(one)) for one in (network.gateway, network.dhcp_server) if one}


def address_v6(cidr: str, mac: str) -> str:
    """Return the address that a guest with this MAC gives itself in an IPv6 range (RFC 4862, EUI-64)."""
    octets = [int(part, 16) for part in mac.split(":")]
    octets[0] ^= 2
    interface = int.from_bytes(bytes([*octets[:3], 0xFF, 0xFE, *octets[3:]]), "big")
    return str(ipaddress.IPv6Address(int(ipaddress.IPv6Network(cidr).network_address) | interface))


def _row(network_id: str, address: str, want: AddressWant) -> Row:
    number = 0 if ":" in address else int(ipaddress.IPv4Address(address))
    return (
        address,
        network_id,
        want.instance_id,
        want.vif_id,
        want.mac,
        want.hostname,
        want.host or "",
        0,
        0,
        number,
    )


_HELD_OF = Statement(sa.select(F.address).where(F.network_id == arg("id"), F.instance_id != "").limit(1))
_CLEAR = Statement(sa.delete(FIXED_IPS).where(F.network_id == arg("id")))


def clear(tx: Tx, network_id: NetworkId) -> bool:
    """Forget the reserved addresses of a network that is about to go; False when somebody holds one.

    The network's row is locked first, so nobody takes an address meanwhile.
    """
    tx.change(_LOCK, id=network_id)
    if tx.row(_HELD_OF, id=network_id) is not None:
        return False
    tx.change(_CLEAR, id=network_id)
    return True


_RELEASE = Statement(sa.delete(FIXED_IPS).where(F.instance_id.in_(args("ids")), F.reserved == 0))
_RELEASE_VIFS = Statement(sa.delete(FIXED_IPS).where(F.vif_id.in_(args("ids")), F.reserved == 0))
_OF_INSTANCES = Statement(_SELECT.where(F.instance_id.in_(args("ids"))).order_by(F.number, F.address))
_OF_NETWORKS = Statement(
    _SELECT.where(F.network_id.in_(args("ids")), F.instance_id != "").order_by(F.number, F.address)
)
_HOLDERS = Statement(_SELECT.where(F.address == arg("address"), F.instance_id != ""))
_OF_PROJECT = Statement(
    sa.select(sa.func.count())
    .join_from(FIXED_IPS, INSTANCES, T.id == F.instance_id)
    .where(T.project_id == arg("project"), F.number != 0)
)
_COUNTS = Statement(sa.select(F.network_id, sa.func.count()).group_by(F.network_id))
_MOVE = Statement(sa.update(FIXED_IPS).values(host=arg("host")).where(F.instance_id.in_(args("ids"))))
_LEASED = Statement(
    sa.update(FIXED_IPS)
    .values(leased=arg("leased"))
    .where(F.address == arg("address"), F.mac == arg("mac"), F.instance_id != "")
)


def release(tx: Tx, instances: Sequence[InstanceId]) -> int:
    """Give up all addresses of these instances; return how many that were. Idempotent."""
    return tx.change(_RELEASE, ids=instances) if instances else 0


def release_vifs(tx: Tx, vifs: Sequence[VifId]) -> int:
    """Give up the addresses of these interfaces; return how many that were. Idempotent."""
    return tx.change(_RELEASE_VIFS, ids=vifs) if vifs else 0


def set_host(tx: Tx, instances: Sequence[InstanceId], host: HostName | None) -> None:
    """Note on which host the holders of addresses are."""
    if instances:
        tx.change(_MOVE, ids=instances, host=host or "")


def set_leased(tx: Tx, address: str, mac: str, leased: bool) -> bool:
    """Note what a DHCP server says; False when no one holds this address with this MAC."""
    return bool(tx.change(_LEASED, address=address, mac=mac.lower(), leased=int(leased)))


def of_instances(tx: Tx, instances: Sequence[InstanceId]) -> list[FixedIp]:
    """Return the addresses of these instances."""
    return [_fixed_ip(row) for row in tx.rows(_OF_INSTANCES, ids=instances)] if instances else []


def of_vifs(tx: Tx, vifs: Sequence[VifId]) -> list[FixedIp]:
    """Return the addresses of these interfaces."""
    return [_fixed_ip(row) for row in tx.rows(_OF_VIFS, ids=vifs)] if vifs else []


def of_networks(tx: Tx, networks: Sequence[NetworkId]) -> list[FixedIp]:
    """Return the held addresses of these networks, in order."""
    return [_fixed_ip(row) for row in tx.rows(_OF_NETWORKS, ids=networks)] if networks else []


def holders(tx: Tx, address: str) -> list[FixedIp]:
    """Return who holds an address; more than one if networks overlap."""
    return [_fixed_ip(row) for row in tx.rows(_HOLDERS, address=address)]


def count_of(tx: Tx, project: ProjectId) -> int:
    """Count the IPv4 addresses that the instances of a project hold."""
    row = tx.row(_OF_PROJECT, project=project)
    return int(row[0]) if row else 0


def counts(tx: Tx) -> dict[NetworkId, int]:
    """Count the addresses of each network that are held or reserved."""
    return dict(tx.rows(_COUNTS))


def _fixed_ip(row: Row) -> FixedIp:
    return FixedIp(
        address=row[0],
        network_id=row[1],
        instance_id=row[2] or None,
        vif_id=row[3] or None,
        mac=row[4] or None,
        hostname=row[5] or None,
        host=row[6] or None,
        leased=bool(row[7]),
        reserved=bool(row[8]),
    )
