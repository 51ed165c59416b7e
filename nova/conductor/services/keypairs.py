"""Key pairs of users."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nova.conductor.services import key_material
from nova.conductor.services.once import once
from nova.conductor.services.quotas import limits_with_user
from nova.context import RequestContext
from nova.db import keypairs, quotas
from nova.db.engine import Tx
from nova.errors.admin import KeyPairInvalid, OutOfQuota
from nova.errors.database import Duplicate, MarkerNotFound
from nova.errors.servers import KeyPairExists, KeyPairNotFound
from nova.objects.ids import UserId
from nova.objects.keypair import KeyPair, NewKeyPair
from nova.objects.page import Page

if TYPE_CHECKING:
    from nova.conductor.world import World

_ONE = {"key_pairs": 1}


def _owner(ctx: RequestContext, user_id: str | None, name: str = "") -> UserId:
    """Return whose key pairs are meant; those of others do not exist for whoever is no administrator."""
    if user_id is not None and user_id != ctx.user_id and not ctx.is_admin:
        raise KeyPairNotFound(name=name, user_id=user_id)
    return UserId(user_id if user_id is not None else ctx.user_id)


def list_keypairs(world: World, ctx: RequestContext, user_id: str | None, page: Page) -> list[KeyPair]:
    """Return a page of the key pairs of a user, by name; raises ``MarkerNotFound``."""
    user = _owner(ctx, user_id)

    def work(tx: Tx) -> list[KeyPair]:
        marker = page.marker
        if marker is not None and keypairs.get(tx, user, marker) is None:
            raise MarkerNotFound(marker=marker)
        return keypairs.of_user(tx, user, marker=marker or "", limit=page.limit)

    return world.db.read(work)


def show(world: World, ctx: RequestContext, name: str, user_id: str | None) -> KeyPair:
    """Return a key pair; raises ``KeyPairNotFound``."""
    user = _owner(ctx, user_id, name)
    found = world.db.read(lambda tx: keypairs.get(tx, user, name))
    if found is None:
        raise KeyPairNotFound(name=name, user_id=user)
    return found


def create(
    world: World, ctx: RequestContext, name: str, public_key: str | None, kind: str, user_id: str | None
) -> NewKeyPair:
    """Keep a public key, or make a pair whose private key is told this once.

    Raises ``KeyPairExists``, ``KeyPairInvalid`` and ``OutOfQuota``.
    """
    user = _owner(ctx, user_id, name)
    made = _made(world, user, name, public_key, kind)

    def work(tx: Tx) -> KeyPair:
        if keypairs.get(tx, user, name) is not None:
            raise KeyPairExists(name=name)
        limits, own = limits_with_user(world, tx, ctx.project_id, user)
        if quotas.reserve(tx, quotas.of_user(user), _ONE, limits | own) is not True:
            raise OutOfQuota(things="key pairs")
        keypairs.insert(tx, made.keypair)
        stored = keypairs.get(tx, user, name)
        assert stored is not None
        return stored

    try:
        stored = once(world, ctx, work, KeyPair)
    except Duplicate:
        raise KeyPairExists(name=name) from None
    if stored.public_key != made.keypair.public_key:
        # A copy of the message made another pair; its private key was told once, and is kept nowhere.
        raise KeyPairExists(name=name)
    return NewKeyPair(keypair=stored, private_key=made.private_key)


def _made(world: World, user: UserId, name: str, public_key: str | None, kind: str) -> NewKeyPair:
    """Read or make the key: before the transaction, for it takes its time."""
    private: str | None = None
    now = world.clock.now()
    if kind == "x509":
        if public_key is None:
            private, public_key, fingerprint = key_material.new_x509(user, now)
        else:
            fingerprint = key_material.x509_fingerprint(public_key)
    elif kind == "ssh":
        if public_key is None:
            private, public_key, fingerprint = key_material.new_ssh("Generated-by-Nova")
        else:
            fingerprint = key_material.ssh_fingerprint(public_key)
    else:
        raise KeyPairInvalid(reason=f"there is no type {kind}")
    pair = KeyPair(
        user_id=user, name=name, public_key=public_key, fingerprint=fingerprint, type=kind, created_at=now
    )
    return NewKeyPair(keypair=pair, private_key=private)


def delete(world: World, ctx: RequestContext, name: str, user_id: str | None) -> None:
    """Remove a key pair; raises ``KeyPairNotFound``.  Servers keep the keys they were made with."""
    user = _owner(ctx, user_id, name)

    def work(tx: Tx) -> bool:
        if not keypairs.delete(tx, user, name):
            raise KeyPairNotFound(name=name, user_id=user)
        quotas.release(tx, quotas.of_user(user), _ONE)
        return True

    once(world, ctx, work, bool)
