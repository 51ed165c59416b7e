"""Create: from a wish to committed instances with their workflows, in one transaction."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from nova import ids
from nova.conductor.services.admission import new_workflow
from nova.conductor.services.boot import devices, validate
from nova.conductor.services.boot.resolve import Resolved, resolve
from nova.conductor.workflows.inputs import BootInput, VifPlan
from nova.context import RequestContext
from nova.db import instances, quotas, security_groups, server_groups
from nova.db.engine import Tx
from nova.db.quotas import Shortage
from nova.errors import NovaError, Unavailable
from nova.errors.database import Duplicate
from nova.errors.servers import BootFileUnknown, ImageUnknown, QuotaExceeded, QuotaExceededSimply
from nova.lifecycle.actions import ACTIONS
from nova.objects.block_device import BlockDevice
from nova.objects.ids import ImageId, InstanceId, ProjectId, UserId, VifId
from nova.objects.image import BOOT_FILES, Image
from nova.objects.instance import Booted, BootWish, Instance
from nova.objects.states import Task, Vm

if TYPE_CHECKING:
    from nova.conductor.engine.step import Run
    from nova.conductor.world import World

LOG = logging.getLogger(__name__)


def boot(world: World, ctx: RequestContext, wish: BootWish) -> Booted:
    """Carry out a create request; repeating it with the same request id gives the same answer."""
    image = _image(world, ctx, wish)
    first = InstanceId(ids.derived_uuid(ctx.request_id, 0))

    def settled(tx: Tx) -> tuple[Booted, list[Run]] | None:
        return (_again(tx, ctx, first, wish), []) if instances.get(tx, first) is not None else None

    try:
        booted, runs = world.db.run(lambda tx: _admit(world, tx, ctx, wish, image), settled=settled)
    except Unavailable:
        raise
    except NovaError as refused:
        # Perhaps the second copy of a message that was granted: it met its own rows, or what they used up.
        if world.db.read(lambda tx: instances.get(tx, first)) is None:
            raise
        if not isinstance(refused, Duplicate):
            LOG.info("Request %s was granted before", ctx.request_id)
        return world.db.read(lambda tx: _again(tx, ctx, first, wish))
    world.engine.wake(runs)
    return booted


def _image(world: World, ctx: RequestContext, wish: BootWish) -> Image | None:
    """Return the image to boot; the caller must be allowed the kernel and ramdisk it names, too.

    Whoever owns an image writes its properties, and hosts fetch images in the cloud's own name.
    """
    if wish.image_id is None:
        return None
    image = world.facts.usable(ctx, wish.image_id)
    for word, what in BOOT_FILES.items():
        if not (named := image.properties.get(word)):
            continue
        try:
            world.facts.usable(ctx, ImageId(named))
        except ImageUnknown:
            raise BootFileUnknown(image=image.id, part=what, id=named) from None
    return image


def _again(tx: Tx, ctx: RequestContext, first: InstanceId, wish: BootWish) -> Booted:
    wanted = [InstanceId(ids.derived_uuid(ctx.request_id, n)) for n in range(wish.max_count)]
    found = instances.get_many(tx, wanted)
    return Booted(
        ids=tuple(i for i in wanted if i in found),
        reservation_id=found[first].reservation_id,
        admin_password=wish.admin_password,
        security_groups=found[first].security_groups,
    )


def _admit(
    world: World, tx: Tx, ctx: RequestContext, wish: BootWish, image: Image | None
) -> tuple[Booted, list[Run]]:
    resolved = resolve(world, tx, ctx, wish, image)
    disks = devices.plan(wish, resolved.flavor, image)
    validate.check(wish, resolved.flavor, image, resolved.limits)
    count = _reserve(tx, ctx, wish, resolved)
    made = _instances(world, ctx, wish, resolved, disks, count)
    instances.insert(tx, made)
    group_ids = list(dict.fromkeys(resolved.groups.values()))
    security_groups.join(tx, [(group, i.id) for i in made for group in group_ids])
    if resolved.server_group is not None:
        most = resolved.limits.get("server_group_members", -1)
        if not server_groups.join(tx, resolved.server_group, [i.id for i in made], most):
            raise QuotaExceededSimply(reason="Quota exceeded, too many servers in group")
    action = ACTIONS["create"]
    rows = [
        new_workflow(world, ctx, action, instance, _input(wish, resolved, ctx, n))
        for n, instance in enumerate(made)
    ]
    runs = world.engine.admit(tx, rows, made)
    booted = Booted(
        ids=tuple(instance.id for instance in made),
        reservation_id=made[0].reservation_id,
        admin_password=wish.admin_password,
        security_groups=made[0].security_groups,
    )
    return booted, runs


def _deltas(resolved: Resolved, count: int) -> dict[str, int]:
    flavor = resolved.flavor
    return {"instances": count, "cores": count * flavor.vcpus, "ram": count * flavor.ram_mb}


def _reserve(tx: Tx, ctx: RequestContext, wish: BootWish, resolved: Resolved) -> int:
    unit = _deltas(resolved, 1)
    got = quotas.reserve_between(
        tx, ctx.project_id, unit, resolved.limits, wish.min_count, max(wish.max_count, wish.min_count)
    )
    if not isinstance(got, Shortage):
        scope = (ProjectId(ctx.project_id), UserId(ctx.user_id))
        got = quotas.stay_within(tx, scope, unit, resolved.own_limits, wish.min_count, got)
    if not isinstance(got, Shortage):
        whole = unit | {"fixed_ips": len(resolved.networks)}
        limit = resolved.limits.get("fixed_ips", -1)
        got = quotas.stay_within_addresses(tx, ProjectId(ctx.project_id), whole, limit, wish.min_count, got)
    if isinstance(got, Shortage):
        over = sorted(got.over)
        raise QuotaExceeded(
            resources=", ".join(over),
            requested=", ".join(str(got.requested[name]) for name in over),
            used=", ".join(str(got.used[name]) for name in over),
            allowed=", ".join(str(got.limits[name]) for name in over),
        )
    return got


def _instances(
    world: World,
    ctx: RequestContext,
    wish: BootWish,
    resolved: Resolved,
    disks: Sequence[BlockDevice],
    count: int,
) -> list[Instance]:
    now = world.clock.now()
    reservation = ids.new_reservation_id()
    return [_instance(ctx, wish, resolved, disks, (n, count, reservation, now)) for n in range(count)]


def _instance(
    ctx: RequestContext,
    wish: BootWish,
    resolved: Resolved,
    disks: Sequence[BlockDevice],
    place: tuple[int, int, str, datetime.datetime],
) -> Instance:
    number, count, reservation, now = place
    instance_id = InstanceId(ids.derived_uuid(ctx.request_id, number))
    name = wish.name if count == 1 else f"{wish.name}-{number + 1}"
    hostname = wish.hostname if wish.hostname and count == 1 else validate.hostname_of(name, instance_id)
    key = resolved.keypair
    return Instance(
        id=instance_id,
        project_id=ProjectId(ctx.project_id),
        user_id=UserId(ctx.user_id),
        display_name=name,
        hostname=hostname,
        vm_state=Vm.BUILDING,
        task_state=Task.SCHEDULING,
        flavor=resolved.flavor,
        image=resolved.image,
        description=wish.description,
        metadata=wish.metadata,
        tags=wish.tags,
        security_groups=tuple(dict.fromkeys(resolved.groups)),
        block_devices=tuple(
            msgspec.structs.replace(disk, id=ids.derived_uuid(instance_id, "disk", n))
            for n, disk in enumerate(disks)
        ),
        key_name=key.name if key else None,
        key_data=key.public_key if key else None,
        key_type=key.type if key else None,
        user_data=wish.user_data,
        config_drive=wish.config_drive,
        availability_zone=wish.availability_zone,
        pinned_zone=wish.availability_zone,
        launch_index=number,
        reservation_id=reservation,
        access_ip_v4=wish.access_ip_v4,
        access_ip_v6=wish.access_ip_v6,
        auto_disk_config=wish.auto_disk_config,
        scheduler_hints=wish.scheduler_hints,
        server_group_id=resolved.server_group,
        trusted_certs=wish.trusted_certs,
        created_at=now,
    )


def _input(wish: BootWish, resolved: Resolved, ctx: RequestContext, number: int) -> BootInput:
    plans = tuple(
        VifPlan(
            vif_id=VifId(ids.derived_uuid(ctx.request_id, number, "vif", n)),
            mac=ids.new_mac(),
            network_id=network.id,
            fixed_ip=one.fixed_ip,
            tag=one.tag,
        )
        for n, (network, one) in enumerate(resolved.networks)
    )
    return BootInput(
        zone=wish.availability_zone,
        forced_host=wish.forced_host,
        forced_node=wish.forced_node,
        requested_host=wish.requested_host,
        requested_node=wish.requested_node,
        vifs=plans,
        fixed_ips=resolved.limits.get("fixed_ips", -1),
        personality=wish.personality,
    )
