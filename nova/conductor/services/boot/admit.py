"""Create: from wishes to committed instances with their workflows, in one transaction."""

from __future__ import annotations

import datetime
import logging
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from nova import ids
from nova.conductor.services.admission import Claim, new_workflow, workflow_id
from nova.conductor.services.boot import devices, validate
from nova.conductor.services.boot.resolve import Look, Resolved, resolve
from nova.conductor.services.once import agreed, bound
from nova.conductor.services.together import Together
from nova.conductor.workflows.inputs import BootInput, VifPlan
from nova.context import RequestContext
from nova.db import instances, quotas, security_groups, server_groups
from nova.db.engine import TryAgain, Tx
from nova.db.quotas import Shortage
from nova.db.workflows import WorkflowRow
from nova.errors import BadRequest, NovaError
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

Disks = Sequence[BlockDevice]
Granted = tuple[Booted, "list[Run]"]


class Asked(msgspec.Struct, frozen=True):
    """A create request, its image looked up."""

    ctx: RequestContext
    wish: BootWish
    image: Image | None

    @property
    def first(self) -> InstanceId:
        """The id of its first server: the same when the request comes again."""
        return InstanceId(ids.derived_uuid(self.ctx.request_id, 0))

    @property
    def claim(self) -> Claim:
        """Its place: what it makes stands there, or its refusal."""
        return Claim(self.ctx, self.first, "create")

    def granted(self, tx: Tx) -> Granted | None:
        """Return what a copy was granted; raise what it was refused; None: none was answered."""
        if instances.get(tx, self.first) is None:
            self.claim.settled(tx)
            return None
        wanted = [InstanceId(ids.derived_uuid(self.ctx.request_id, n)) for n in range(_most(self.wish))]
        found = instances.get_many(tx, wanted)
        booted = Booted(
            ids=tuple(i for i in wanted if i in found),
            reservation_id=found[self.first].reservation_id,
            admin_password=self.wish.admin_password,
            security_groups=found[self.first].security_groups,
        )
        return booted, []


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be written for a create request."""

    instances: list[Instance]
    group_ids: list[str]
    held: list[str]
    """Those of the groups that somebody could delete meanwhile."""
    rows: list[WorkflowRow]
    booted: Booted


def boots(world: World) -> Together[Asked, Booted]:
    """Return what admits this conductor's create requests."""

    def alone(asked: Asked) -> Booted:
        return _boot(world, asked)

    def many(several: Sequence[Asked]) -> dict[int, Booted]:
        granted = world.db.run(lambda tx: admit_many(world, tx, several))
        world.engine.wake(run for _, runs in granted.values() for run in runs)
        return {number: booted for number, (booted, _) in granted.items()}

    return Together(alone, many, lambda asked: asked.ctx.project_id or "")


def boot(world: World, gate: Together[Asked, Booted], ctx: RequestContext, wish: BootWish) -> Booted:
    """Carry out a create request; repeating it with the same request id gives the same answer."""
    try:
        image = _image(world, ctx, wish)
    except BadRequest as refused:
        # Perhaps the second copy of a message that was granted, whose image is gone by now.
        asked = Asked(ctx, wish, None)
        booted, _ = bound(world, refused, asked.granted, asked.claim.refuse)
        return _taken_up(world, ctx, booted)
    return gate.ask(Asked(ctx, wish, image))


def _boot(world: World, asked: Asked) -> Booted:
    # The second copy of a message that was granted meets its own rows, or what they used up.
    booted, runs = agreed(world, lambda tx: admit(world, tx, asked), asked.granted, asked.claim.refuse)
    if not runs:
        return _taken_up(world, asked.ctx, booted)
    world.engine.wake(runs)
    return booted


def _taken_up(world: World, ctx: RequestContext, booted: Booted) -> Booted:
    """Go on with what a request made before, where nobody does."""
    world.engine.adopt_forgotten([workflow_id(ctx, i, "create") for i in booted.ids])
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


def admit(world: World, tx: Tx, asked: Asked) -> Granted:
    """Admit one request, or raise why not."""
    resolved, disks = _understood(world, Look(tx), asked)
    count = _reserve(tx, asked.ctx, asked.wish, resolved)
    made = _make(world, asked, resolved, disks, count)
    (runs,) = _write(world, tx, [made])
    if resolved.server_group is not None:
        most = resolved.limits.get("server_group_members", -1)
        if not server_groups.join(tx, resolved.server_group, [i.id for i in made.instances], most):
            raise QuotaExceededSimply(reason="Quota exceeded, too many servers in group")
    return made.booted, runs


def admit_many(world: World, tx: Tx, several: Sequence[Asked]) -> dict[int, Granted]:
    """Admit those requests that can be granted as they stand, all in one transaction; by position.

    What only a look at the rows before can judge (a user's own limits, a project's bounded addresses, a
    group's members) is left out, and so is the second copy of a request.
    """
    look = Look(tx)
    projects: dict[str, dict[int, tuple[Resolved, Disks]]] = {}
    seen = set(instances.states(tx, [asked.first for asked in several]))
    for number, asked in enumerate(several):
        try:
            resolved, disks = _understood(world, look, asked)
        except NovaError:
            continue
        counted = resolved.limits.get("fixed_ips", -1) >= 0
        if resolved.own_limits or counted or resolved.server_group is not None or asked.first in seen:
            continue
        seen.add(asked.first)
        projects.setdefault(asked.ctx.project_id or "", {})[number] = resolved, disks
    made: dict[int, Made] = {}
    for project, found in sorted(projects.items()):
        total: Counter[str] = Counter()
        limits: dict[str, int] = {}
        for number, (resolved, _) in found.items():
            total.update(_deltas(resolved, _most(several[number].wish)))
            limits = resolved.limits
        if quotas.reserve(tx, project, total, limits) is True:
            for number, (resolved, disks) in found.items():
                count = _most(several[number].wish)
                made[number] = _make(world, several[number], resolved, disks, count)
    written = _write(world, tx, list(made.values())) if made else []
    return {number: (one.booted, runs) for (number, one), runs in zip(made.items(), written, strict=True)}


def _understood(world: World, look: Look, asked: Asked) -> tuple[Resolved, Disks]:
    resolved = resolve(world, look, asked.ctx, asked.wish, asked.image)
    disks = devices.plan(asked.wish, resolved.flavor, asked.image)
    validate.check(asked.wish, resolved.flavor, asked.image, resolved.limits)
    return resolved, disks


def _make(world: World, asked: Asked, resolved: Resolved, disks: Disks, count: int) -> Made:
    ctx, wish = asked.ctx, asked.wish
    made = _instances(world, ctx, wish, resolved, disks, count)
    action = ACTIONS["create"]
    return Made(
        instances=made,
        group_ids=list(dict.fromkeys(resolved.groups.values())),
        held=[group for name, group in resolved.groups.items() if name != "default"],
        rows=[
            new_workflow(world, ctx, action, instance, _input(wish, resolved, ctx, n))
            for n, instance in enumerate(made)
        ],
        booted=Booted(
            ids=tuple(instance.id for instance in made),
            reservation_id=made[0].reservation_id,
            admin_password=wish.admin_password,
            security_groups=made[0].security_groups,
        ),
    )


def _write(world: World, tx: Tx, made: Sequence[Made]) -> list[list[Run]]:
    """Write the rows of several requests, a statement a kind; return the runs of each."""
    everything = [instance for one in made for instance in one.instances]
    instances.insert(tx, everything)
    if not security_groups.hold(tx, [group for one in made for group in one.held]):
        raise TryAgain()  # one was deleted just now; looked up anew it is missing
    members = [(group, i.id) for one in made for i in one.instances for group in one.group_ids]
    security_groups.join(tx, members)
    runs = iter(world.engine.admit(tx, [row for one in made for row in one.rows], everything))
    return [[next(runs) for _ in one.rows] for one in made]


def _most(wish: BootWish) -> int:
    return max(wish.max_count, wish.min_count)


def _deltas(resolved: Resolved, count: int) -> dict[str, int]:
    flavor = resolved.flavor
    return {"instances": count, "cores": count * flavor.vcpus, "ram": count * flavor.ram_mb}


def _reserve(tx: Tx, ctx: RequestContext, wish: BootWish, resolved: Resolved) -> int:
    unit = _deltas(resolved, 1)
    got = quotas.reserve_between(tx, ctx.project_id, unit, resolved.limits, wish.min_count, _most(wish))
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
    disks: Disks,
    count: int,
) -> list[Instance]:
    now = world.clock.now()
    reservation = ids.new_reservation_id()
    return [_instance(ctx, wish, resolved, disks, (n, count, reservation, now)) for n in range(count)]


def _instance(
    ctx: RequestContext,
    wish: BootWish,
    resolved: Resolved,
    disks: Disks,
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
