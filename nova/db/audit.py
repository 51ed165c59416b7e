"""Do the books agree?  Questions about what must always hold, for ``nova-manage doctor`` and every torture.

Read-only and of a fixed number of statements; what really is on the hosts is compared by ``nova.audit``.  A
finding may be a moment's view of work under way (each statement sees its own state), so whoever asks a busy
cloud asks twice and believes what stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import sqlalchemy as sa

from nova.db import audit_history, hosts
from nova.db.console_tokens import C
from nova.db.engine import Tx
from nova.db.findings import Finding, Look, each
from nova.db.fixed_ips import F
from nova.db.hosts import A
from nova.db.instance_table import T
from nova.db.quotas import U
from nova.db.server_groups import H, M
from nova.db.statements import Statement
from nova.db.tags import TAGS
from nova.db.workflows import W
from nova.objects.network import Vif

_LIVING = sa.exists().where(T.deleted == 0)
_ALLOCATED_TO_NONE = Statement(
    sa.select(A.instance_id, A.host).where(~_LIVING.where(T.id == A.instance_id)).order_by(A.instance_id)
)
_HELD_BY_NONE = Statement(
    sa.select(F.address, F.instance_id)
    .where(F.instance_id != "", ~_LIVING.where(T.id == F.instance_id))
    .order_by(F.address)
)
_UNCLAIMED = Statement(
    sa.select(T.id, T.host)
    .where(T.deleted == 0, T.host != "", ~sa.exists().where(A.instance_id == T.id, A.host == T.host))
    .order_by(T.id)
)
_TOKENS_OF_NONE = Statement(
    sa.select(C.instance_id).where(~_LIVING.where(T.id == C.instance_id)).group_by(C.instance_id)
)
_TAGS_OF_NONE = Statement(
    sa.select(TAGS.c.instance_id)
    .where(~sa.exists().where(T.id == TAGS.c.instance_id))
    .group_by(TAGS.c.instance_id)
)
_BUSY_WITHOUT_WORK = Statement(
    sa.select(T.id, T.task_state)
    .where(T.deleted == 0, T.task_state != "", ~sa.exists().where(W.instance_id == T.id, W.running == 1))
    .order_by(T.id)
)
_WORK_ON_NONE = Statement(
    sa.select(W.id, W.instance_id)
    .where(W.running == 1, W.kind != "delete", ~_LIVING.where(T.id == W.instance_id))
    .order_by(W.id)
)
_USED = Statement(
    sa.select(T.project_id, sa.func.count(), sa.func.sum(T.vcpus), sa.func.sum(T.ram_mb))
    .where(T.deleted == 0)
    .group_by(T.project_id)
)
_BOOKED = Statement(sa.select(U.scope, U.instances, U.cores, U.ram).where(U.scope.not_like("user:%")))
_SEATS = Statement(
    sa.select(M.group_id, M.host, sa.func.count()).where(M.host != "").group_by(M.group_id, M.host)
)
_SEATED = Statement(sa.select(H.group_id, H.host, H.members).where(H.members != 0))
_MISCLAIMED = Statement(
    sa.select(T.id, A.host, A.vcpus, A.ram_mb, T.vcpus, T.ram_mb)
    .where(T.deleted == 0, A.instance_id == T.id, sa.or_(A.vcpus != T.vcpus, A.ram_mb != T.ram_mb))
    .order_by(T.id)
)
_CLAIMED_ELSEWHERE = Statement(
    sa.select(T.id, A.host, T.host)
    .where(T.deleted == 0, A.instance_id == T.id, A.host != T.host, T.task_state == "")
    .order_by(T.id)
)
_INTERFACES = Statement(sa.select(T.id, T.vifs).where(T.deleted == 0, T.vifs != ""))
_HELD = Statement(
    sa.select(F.instance_id, F.address).where(F.instance_id != "", _LIVING.where(T.id == F.instance_id))
)
_OVER = Statement(
    sa.select(hosts.N.host, hosts.N.node).where(
        hosts.N.gone == 0,
        sa.or_(
            hosts.N.used_vcpus > hosts.N.max_vcpus,
            hosts.N.used_ram_mb > hosts.N.max_ram_mb,
            hosts.N.used_disk_gb > hosts.N.max_disk_gb,
        ),
    )
)


def findings(tx: Tx) -> list[Finding]:
    """Return all that does not agree."""
    return [found for rule in RULES for found in rule(tx)]


def at_any_instant(tx: Tx) -> list[Finding]:
    """Return what must never be so, not even for a moment in the middle of work."""
    return list(_over(tx))


def _quotas(tx: Tx) -> Iterator[Finding]:
    real: dict[str, tuple[Any, ...]] = {row[0]: tuple(map(int, row[1:])) for row in tx.rows(_USED)}
    booked: dict[str, tuple[Any, ...]] = {row[0]: tuple(map(int, row[1:])) for row in tx.rows(_BOOKED)}
    nothing = (0, 0, 0)
    for project in sorted(real | booked):
        is_booked, is_real = booked.get(project, nothing), real.get(project, nothing)
        if is_booked != is_real:
            told = f"is booked with {is_booked} instances, cores and MB of RAM, but has {is_real}"
            yield Finding(rule="quota", subject=project, sentence=f"Project {project} {told}.")


def _claims(tx: Tx) -> Iterator[Finding]:
    for host, node, booked, real in hosts.books(tx):
        if booked != real:
            told = f"is booked with {booked} vCPUs, MB, GB and instances, but its claims make {real}"
            yield Finding(rule="claims", subject=host, sentence=f"Node {node} of {host} {told}.")


def _groups(tx: Tx) -> Iterator[Finding]:
    real = {(row[0], row[1]): row[2] for row in tx.rows(_SEATS)}
    booked = {(row[0], row[1]): row[2] for row in tx.rows(_SEATED)}
    for key in sorted(real | booked):
        if real.get(key, 0) != booked.get(key, 0):
            told = f"is booked with {booked.get(key, 0)} members on {key[1]}, but has {real.get(key, 0)}"
            yield Finding(rule="group", subject=key[0], sentence=f"Server group {key[0]} {told}.")


def _addresses(tx: Tx) -> Iterator[Finding]:
    """Compare the addresses of interfaces with those that are held."""
    shown: dict[str, set[str]] = {}
    for instance, vifs in tx.rows(_INTERFACES):
        for vif in _decode_vifs(vifs):
            shown.setdefault(instance, set()).update(vif.addresses)
    held: dict[str, set[str]] = {}
    for instance, address in tx.rows(_HELD):
        held.setdefault(instance, set()).add(address)
    for instance in sorted(shown.keys() | held.keys()):
        mine, real = shown.get(instance, set()), held.get(instance, set())
        if mine != real:
            told = f"shows the addresses {_words(mine)}, but holds {_words(real)}"
            yield Finding(rule="addresses", subject=instance, sentence=f"Instance {instance} {told}.")


def _words(addresses: set[str]) -> str:
    return ", ".join(sorted(addresses)) or "none"


_over = each("over-commit", _OVER, "Node {1} of {0} has more claims than room.")
_decode_vifs = msgspec.json.Decoder(tuple[Vif, ...]).decode

RULES: tuple[Look, ...] = (
    _quotas,
    _claims,
    _groups,
    _addresses,
    _over,
    each("claim-of-none", _ALLOCATED_TO_NONE, "Host {1} is claimed for instance {0}, which does not live."),
    each("unclaimed", _UNCLAIMED, "Instance {0} is on host {1} without a claim."),
    each(
        "claimed-otherwise", _MISCLAIMED, "Instance {0} holds {2} vCPUs and {3} MB of {1}; it has {4}, {5}."
    ),
    each("claimed-elsewhere", _CLAIMED_ELSEWHERE, "Instance {0} holds a claim on {1}, but its host is {2}."),
    each("address-of-none", _HELD_BY_NONE, "Address {0} is held by instance {1}, which does not live."),
    each("token-of-none", _TOKENS_OF_NONE, "A console token is for instance {0}, which does not live."),
    each("tag-of-none", _TAGS_OF_NONE, "Tags are kept for instance {0}, which is not there."),
    each("busy-without-work", _BUSY_WITHOUT_WORK, "Instance {0} is {1}, but no workflow is at it."),
    each("work-on-none", _WORK_ON_NONE, "Workflow {0} is at instance {1}, which does not live."),
    *audit_history.RULES,
)
