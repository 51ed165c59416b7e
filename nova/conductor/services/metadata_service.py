"""What guests are told about themselves, and the password they tell, for their users."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from nova.conductor.services.lookup import living
from nova.conductor.services.once import once
from nova.conductor.steps.guest import guest_spec
from nova.context import RequestContext
from nova.db import ec2_ids, fixed_ips, guest_passwords, instances
from nova.db.engine import Tx, again
from nova.errors.database import Duplicate
from nova.objects.ids import InstanceId
from nova.objects.instance import Instance
from nova.objects.metadata import GuestMetadata

if TYPE_CHECKING:
    from nova.conductor.world import World


def by_address(world: World, address: str) -> GuestMetadata | None:
    """Return what the guest that holds a fixed address is told; none if nobody holds it."""
    instance_id = _holder(world, address)
    return by_id(world, instance_id) if instance_id is not None else None


def _holder(world: World, address: str) -> InstanceId | None:
    """Return who holds an address; none also when it is not clear who (networks that overlap)."""
    try:
        spelled = str(ipaddress.ip_address(address))
    except ValueError:
        return None
    found = world.db.read(lambda tx: fixed_ips.holders(tx, spelled))
    return found[0].instance_id if len(found) == 1 else None


def by_id(world: World, instance_id: InstanceId) -> GuestMetadata | None:
    """Return what a guest is told; none if there is no such instance (any more)."""

    def read(tx: Tx) -> tuple[Instance | None, str, dict[str, str]]:
        instance = instances.get(tx, instance_id)
        if instance is None or instance.is_deleted:
            return None, "", {}
        numbers = {k: n for k, u in _named(instance).items() for n in ec2_ids.known(tx, k, [u]).values()}
        return instance, guest_passwords.get(tx, instance_id), _ec2_names(numbers)

    instance, password, names = world.db.read(read)
    if instance is None:
        return None
    if len(names) < len(_named(instance)):
        names = _number(world, instance)
    floating = [a for vif in instance.vifs for given in vif.floating.values() for a in given]
    return GuestMetadata(
        guest=guest_spec(instance),
        security_groups=instance.security_groups,
        ec2_instance_id=names["instance"],
        ec2_image_id=names.get("image", ""),
        public_ipv4=floating[0] if floating else None,
        password=password,
        instance_id=instance.id,
    )


def _named(instance: Instance) -> dict[str, str]:
    """Return what has an EC2 name of its own: kind to uuid."""
    image = {"image": str(instance.image.id)} if instance.image is not None else {}
    return {"instance": str(instance.id), **image}


def _number(world: World, instance: Instance) -> dict[str, str]:
    def work(tx: Tx) -> dict[str, int]:
        return {kind: ec2_ids.numbers(tx, kind, [uuid])[uuid] for kind, uuid in _named(instance).items()}

    return _ec2_names(world.db.run(work, settled=again))


def _ec2_names(numbers: dict[str, int]) -> dict[str, str]:
    prefixes = {"instance": "i", "image": "ami"}
    return {kind: f"{prefixes[kind]}-{number:08x}" for kind, number in numbers.items()}


def put_password(world: World, address: str, password: str) -> bool:
    """Keep the password that a guest tells; False when it told one before, or nobody holds the address."""
    instance_id = _holder(world, address)
    if instance_id is None:
        return False
    if not password:
        # Nothing is told, so another may be later.
        return not world.db.read(lambda tx: guest_passwords.get(tx, instance_id))
    try:
        world.db.once(lambda tx: guest_passwords.insert(tx, instance_id, password), repeatable=True)
    except Duplicate:
        # The same words again are a message that came twice.
        return world.db.read(lambda tx: guest_passwords.get(tx, instance_id)) == password
    return True


def password_of(world: World, ctx: RequestContext, instance_id: InstanceId) -> str:
    """Return the password that a guest told, as it told it; empty if it told none."""
    return world.db.read(lambda tx: guest_passwords.get(tx, living(tx, ctx, instance_id).id))


def clear_password(world: World, ctx: RequestContext, instance_id: InstanceId) -> None:
    """Forget the password that a guest told; a copy of the message forgets no later one."""

    def work(tx: Tx) -> bool:
        guest_passwords.clear(tx, living(tx, ctx, instance_id).id)
        return True

    once(world, ctx, work, Any)
