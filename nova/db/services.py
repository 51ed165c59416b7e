"""Daemons and their beats; many beats are one statement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from nova import ids
from nova.db.batch import Insert
from nova.db.dialects import as_text, concat
from nova.db.engine import Row, Tx
from nova.db.schema import BIG, COUNT, FLAG, MOMENT, NAME, UUID, WORD, arg, args, moment, needed, stamp, table
from nova.db.statements import Statement
from nova.objects.host import Service, ServiceBeat
from nova.objects.ids import HostName, ServiceId

SERVICES = table(
    "services",
    sa.Column("number", COUNT, primary_key=True, autoincrement=True),
    needed("id", UUID, unique=True),
    needed("host", NAME),
    needed("binary", WORD),
    needed("topic", WORD),
    needed("disabled", FLAG),
    needed("disabled_reason", NAME),
    needed("forced_down", FLAG),
    needed("version", COUNT),
    needed("beats", BIG),
    needed("seen_at", MOMENT),
    needed("updated_at", MOMENT),
    needed("created_at", MOMENT),
    sa.UniqueConstraint("binary", "host", name="services_names"),
)
S = SERVICES.c
_COLUMNS = (
    "id",
    "host",
    "binary",
    "topic",
    "disabled",
    "disabled_reason",
    "forced_down",
    "version",
    "beats",
    "seen_at",
    "updated_at",
    "created_at",
)
_INSERT = Insert(SERVICES, _COLUMNS, if_missing=True)
_SELECT = sa.select(*(S[name] for name in _COLUMNS), S.number)
_BEAT = Statement(
    sa.update(SERVICES)
    .values(beats=S.beats + 1, seen_at=arg("now"), version=arg("version"), topic=arg("topic"))
    .where(S.binary == arg("binary"), S.host.in_(args("hosts")))
)
# One value a row: thousands are read every few seconds, and what a row costs is its columns.
_PULSES = Statement(
    sa.select(
        concat(S.binary, sa.literal_column("' '"), as_text(S.beats), sa.literal_column("' '"),
               as_text(S.forced_down), sa.literal_column("' '"), S.host)
    )
)  # fmt: skip
_KNOWN = Statement(sa.select(S.host).where(S.binary == arg("binary"), S.host.in_(args("hosts"))))
_LIST = Statement(_SELECT.order_by(S.number))
_OF_BINARY = Statement(_SELECT.where(S.binary == arg("binary")).order_by(S.number))
_OF_HOSTS = Statement(_SELECT.where(S.host.in_(args("hosts"))).order_by(S.number))
_SHOW = Statement(_SELECT.where(S.id == arg("id")))
_BY_NUMBER = Statement(_SELECT.where(S.number == arg("number")))
_FIND = Statement(_SELECT.where(S.host == arg("host"), S.binary == arg("binary")))
_UPDATE = Statement(
    sa.update(SERVICES)
    .values(
        disabled=arg("disabled"),
        disabled_reason=arg("disabled_reason"),
        forced_down=arg("forced_down"),
        updated_at=arg("now"),
    )
    .where(S.id == arg("id"))
)
_DELETE = Statement(sa.delete(SERVICES).where(S.id == arg("id")))


def beat(tx: Tx, beats: Sequence[ServiceBeat]) -> list[HostName]:
    """Count the beats of daemons, one statement for all of one kind; new ones become known.

    Returns the hosts that are new.
    """
    kinds: dict[tuple[str, str, int], set[HostName]] = defaultdict(set)
    for one in beats:
        kinds[one.binary, one.topic, one.version].add(one.host)
    new: list[HostName] = []
    for (binary, topic, version), hosts in kinds.items():
        wanted = sorted(hosts)
        params = {"binary": binary, "hosts": wanted}
        if tx.change(_BEAT, topic=topic, version=version, now=stamp(tx.now), **params) == len(wanted):
            continue
        known = {row[0] for row in tx.rows(_KNOWN, **params)}
        missing = [host for host in wanted if host not in known]
        rows = [
            (ids.new_uuid(), host, binary, topic, 0, "", 0, version, 1, stamp(tx.now), "", stamp(tx.now))
            for host in missing
        ]
        if rows:
            _INSERT.run(tx, rows)
            new.extend(missing)
    return new


def all_services(tx: Tx, binary: str | None = None) -> list[Service]:
    """Return the services (of one binary), by number."""
    rows = tx.rows(_LIST) if binary is None else tx.rows(_OF_BINARY, binary=binary)
    return [_service(row) for row in rows]


class Pulse(NamedTuple):
    """How a service lives: what is looked at again and again."""

    host: HostName
    binary: str
    beats: int
    forced_down: bool


def pulses(tx: Tx) -> list[Pulse]:
    """Return how all services live."""
    found = []
    for (text,) in tx.rows(_PULSES):
        binary, beats, down, host = text.split(" ", 3)
        found.append(Pulse(HostName(host), binary, int(beats), down == "1"))
    return found


def of_hosts(tx: Tx, hosts: Sequence[HostName]) -> list[Service]:
    """Return the services of these hosts, by number."""
    return [_service(row) for row in tx.rows(_OF_HOSTS, hosts=hosts)] if hosts else []


def get(tx: Tx, service_id: ServiceId) -> Service | None:
    """Return a service by its uuid, or None."""
    row = tx.row(_SHOW, id=service_id)
    return _service(row) if row else None


def by_number(tx: Tx, number: int) -> Service | None:
    """Return a service by its small number, or None."""
    row = tx.row(_BY_NUMBER, number=number)
    return _service(row) if row else None


def find(tx: Tx, host: HostName, binary: str) -> Service | None:
    """Return the service of a host by its binary, or None."""
    row = tx.row(_FIND, host=host, binary=binary)
    return _service(row) if row else None


def update(tx: Tx, service: Service) -> bool:
    """Write whether a service is disabled, why, and whether it is forced down; False when it is gone."""
    return bool(
        tx.change(
            _UPDATE,
            id=service.id,
            disabled=int(service.disabled),
            disabled_reason=service.disabled_reason or "",
            forced_down=int(service.forced_down),
            now=stamp(tx.now),
        )
    )


def delete(tx: Tx, service_id: ServiceId) -> bool:
    """Remove a service; False when there is none."""
    return bool(tx.change(_DELETE, id=service_id))


def _service(row: Row) -> Service:
    return Service(
        id=row[0],
        host=row[1],
        binary=row[2],
        topic=row[3],
        disabled=bool(row[4]),
        disabled_reason=row[5] or None,
        forced_down=bool(row[6]),
        version=row[7],
        beats=row[8],
        seen_at=moment(row[9]),
        updated_at=moment(row[10]),
        created_at=moment(row[11]),
        number=row[12],
    )
