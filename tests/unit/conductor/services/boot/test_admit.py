"""Creates that are admitted together: the same rows as one by one, quotas that hold, answers of their own."""

from __future__ import annotations

import pytest

from nova import ids
from nova.conductor.engine.engine import Engine
from nova.conductor.services.boot.admit import Asked, admit_many, boot, boots
from nova.conductor.workflows import CATALOG
from nova.conductor.world import World
from nova.context import RequestContext
from nova.db import flavors, instances, quotas, security_groups, workflows
from nova.db.engine import Tx
from nova.errors.servers import FlavorUnusable, ImageUnknown, QuotaExceeded
from nova.objects.ids import FlavorId, ImageId, InstanceId, ProjectId, UserId, WorkflowId
from nova.objects.image import Image
from nova.objects.instance import Booted, BootWish
from nova.objects.network import NetworkChoice
from tests.unit.conductor.services.makers import SMALL, flavor

IMAGE = Image(id="155d900f-4e14-4e4c-a73d-069cbf4541e6", name="cirros")


@pytest.fixture
def cloud(world: World) -> World:
    world.engine = Engine(world, CATALOG)
    world.db.run(lambda tx: flavors.insert(tx, SMALL))
    world.db.run(lambda tx: flavors.insert(tx, flavor(id="2")))
    return world


def asked(project: str = "p1", **values: object) -> Asked:
    ctx = RequestContext(request_id=ids.new_request_id(), user_id="u1", project_id=project, roles=("member",))
    made = {"name": "web", "flavor_id": FlavorId("1"), "network_choice": NetworkChoice.NONE}
    return Asked(ctx, BootWish(**(made | values)), IMAGE)  # type: ignore[arg-type]


def admitted(world: World, several: list[Asked]) -> dict[int, Booted]:
    granted = world.db.run(lambda tx: admit_many(world, tx, several))
    assert all(len(runs) == len(booted.ids) for booted, runs in granted.values())
    return {number: booted for number, (booted, _) in granted.items()}


def used(world: World, project: str) -> int:
    return world.db.read(lambda tx: quotas.used(tx, ProjectId(project)))["instances"]


def limit(world: World, project: str, most: int, user: str | None = None) -> None:
    world.db.run(
        lambda tx: quotas.set_limits(tx, project, {"instances": most}, UserId(user) if user else None)
    )


def test_all_are_written_with_their_workflows_and_counted(cloud: World) -> None:
    several = [asked(), asked(max_count=3, name="many"), asked("p2", flavor_id=FlavorId("2"))]
    granted = admitted(cloud, several)
    assert [len(granted[n].ids) for n in range(3)] == [1, 3, 1]
    wanted = [i for booted in granted.values() for i in booted.ids]
    found = cloud.db.read(lambda tx: instances.get_many(tx, wanted))
    assert {i: found[i].display_name for i in granted[1].ids} == {
        i: f"many-{n}" for n, i in enumerate(granted[1].ids, 1)
    }
    assert found[granted[2].ids[0]].project_id == "p2" and found[granted[2].ids[0]].flavor.id == "2"
    running = cloud.db.read(lambda tx: workflows.running_of(tx, wanted))
    assert {(row.instance_id, row.owner) for row in running} == {(i, cloud.owner) for i in wanted}
    assert (used(cloud, "p1"), used(cloud, "p2")) == (4, 1)

    def members(tx: Tx) -> int:
        (group,) = security_groups.resolve(tx, ProjectId("p1"), ["default"]).values()
        return len(security_groups.members(tx, group))

    assert cloud.db.read(members) == 4


def test_statements_do_not_grow_with_the_number_of_requests(cloud: World) -> None:
    def cost(count: int) -> int:
        before = cloud.db.statements
        assert len(admitted(cloud, [asked() for _ in range(count)])) == count
        return cloud.db.statements - before

    limit(cloud, "p1", 100)
    cost(1)
    assert cost(2) == cost(9)


def test_what_would_go_over_the_quota_together_is_left_to_be_judged_one_by_one(cloud: World) -> None:
    limit(cloud, "p1", 2)
    granted = admitted(cloud, [asked(), asked(), asked(), asked("p2")])
    assert set(granted) == {3}
    assert (used(cloud, "p1"), used(cloud, "p2")) == (0, 1)


def test_what_is_missing_or_counted_apart_is_left_out(cloud: World) -> None:
    limit(cloud, "p2", 5, "u1")
    fine, again = asked(), asked()
    granted = admitted(
        cloud,
        [
            asked(flavor_id=FlavorId("gone")),
            asked("p2"),
            asked(scheduler_hints={"group": [ids.new_uuid()]}),
            fine,
            again,
            again,
        ],
    )
    assert set(granted) == {3, 4}
    assert admitted(cloud, [fine, asked()]).keys() == {1}


def test_each_gets_its_own_answer(cloud: World) -> None:
    limit(cloud, "p1", 1)
    gate = boots(cloud)
    first = asked()
    booted = gate.ask(first)
    cloud.db.run(lambda tx: flavors.delete(tx, FlavorId("1")))
    copy, over, missing, fine = (
        first,
        asked(flavor_id=FlavorId("2")),
        asked("p2"),
        asked("p2", flavor_id=FlavorId("2")),
    )
    (granted,) = gate._admit([copy, over, missing, fine])[3]
    assert granted.ids == (fine.first,)
    # The second copy of what was granted is granted, though its flavor is gone and the quota used up.
    assert gate.ask(copy).ids == booted.ids
    with pytest.raises(QuotaExceeded):
        gate.ask(over)
    with pytest.raises(FlavorUnusable):
        gate.ask(missing)
    assert (used(cloud, "p1"), used(cloud, "p2")) == (1, 1)


@pytest.mark.parametrize("moment", ["commit", "committed"])
def test_after_a_lost_answer_to_the_commit_the_workflow_is_in_hand_at_once(cloud: World, moment: str) -> None:
    lost = iter([True])

    def disturb(at: str) -> None:
        if at == moment and next(lost, False):
            raise ConnectionResetError("cable pulled")

    cloud.db.disturb = disturb
    try:
        booted = boots(cloud).ask(asked())
    finally:
        cloud.db.disturb = None
    (row,) = cloud.db.read(lambda tx: workflows.running_of(tx, [InstanceId(booted.ids[0])]))
    assert cloud.engine.held() == {WorkflowId(row.id)}
    assert used(cloud, "p1") == 1


class Images:
    """Facts of images, of which one may go."""

    def __init__(self) -> None:
        self.gone = False

    def usable(self, ctx: RequestContext, image_id: ImageId) -> Image:
        if self.gone:
            raise ImageUnknown()
        return IMAGE


def test_a_copy_gets_the_first_ones_answer_though_the_image_is_gone(cloud: World) -> None:
    images = Images()
    cloud.facts = images  # type: ignore[assignment]
    gate, one, other = boots(cloud), asked(image_id=IMAGE.id), asked(image_id=IMAGE.id)
    first = boot(cloud, gate, one.ctx, one.wish)
    images.gone = True
    assert boot(cloud, gate, one.ctx, one.wish) == first
    with pytest.raises(ImageUnknown):
        boot(cloud, gate, other.ctx, other.wish)
