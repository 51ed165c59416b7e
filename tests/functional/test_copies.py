"""A message that comes twice is granted once and answered twice alike."""

from __future__ import annotations

import concurrent.futures
import threading

import msgspec
import pytest

from nova import ids
from nova.context import RequestContext
from nova.db import workflows
from nova.errors.servers import FlavorUnusable, InstanceNotFound, QuotaExceeded
from nova.objects.ids import FlavorId, ImageId, InstanceId, WorkflowId
from nova.objects.image import NewImage
from nova.objects.instance import BootWish
from nova.objects.network import NetworkChoice
from nova.rpc.contracts.conductor.instances import Instances
from tests.support.cloud import Bench, eventually
from tests.support.workflows import world_of

COPIES = 8


def conductor(bench: Bench) -> Instances:
    return bench.cloud.surroundings.client(Instances).any


def request(project: str) -> RequestContext:
    return RequestContext(
        request_id=ids.new_request_id(), user_id="u", project_id=project, roles=("member", "admin")
    )


def limit(bench: Bench, project: str, **limits: int) -> None:
    answer = bench.admin.ask("PUT", f"/os-quota-sets/{project}", {"quota_set": limits})
    assert answer.status == 200, answer


def wish(bench: Bench) -> BootWish:
    return BootWish(
        name="web",
        image_id=ImageId(bench.image),
        flavor_id=FlavorId("1"),
        network_choice=NetworkChoice.NONE,
    )


def booted(bench: Bench, ctx: RequestContext) -> InstanceId:
    made = conductor(bench).boot(ctx, wish(bench)).ids[0]
    eventually(lambda: conductor(bench).show_instance(ctx, made).task_state is None)
    return made


def test_a_create_that_took_the_last_of_the_quota(bench: Bench) -> None:
    limit(bench, "last", instances=1)
    ctx = request("last")
    first = conductor(bench).boot(ctx, wish(bench))
    assert conductor(bench).boot(ctx, wish(bench)) == first
    with pytest.raises(QuotaExceeded):
        conductor(bench).boot(request("last"), wish(bench))


def test_a_snapshot_that_began(bench: Bench) -> None:
    server = booted(bench, request("pictures"))
    ctx, image = request("pictures"), NewImage(name="picture")
    first = conductor(bench).create_image(ctx, server, image)
    assert conductor(bench).create_image(ctx, server, image) == first


def test_a_delete_that_is_done(bench: Bench) -> None:
    server = booted(bench, request("gone"))
    ctx = request("gone")
    conductor(bench).act(ctx, server, "delete", {})
    wanted = WorkflowId(ids.derived_uuid(ctx.request_id, server, "delete"))
    db = world_of(bench).db
    eventually(lambda: db.read(lambda tx: workflows.get_many(tx, [wanted]))[wanted].finished_at)
    conductor(bench).act(ctx, server, "delete", {})
    with pytest.raises(InstanceNotFound):
        conductor(bench).act(request("gone"), server, "delete", {})


def test_a_stop_that_began(bench: Bench) -> None:
    server = booted(bench, request("stopped"))
    ctx = request("stopped")
    conductor(bench).act(ctx, server, "stop", {})
    conductor(bench).act(ctx, server, "stop", {})
    eventually(lambda: conductor(bench).show_instance(ctx, server).vm_state.value == "stopped")
    actions = bench.admin.ask("GET", f"/servers/{server}/os-instance-actions").body["instanceActions"]
    assert [a["action"] for a in actions] == ["stop", "create"]


@pytest.mark.parametrize("action", ["stop", "delete"])
def test_copies_that_come_at_the_same_time(bench: Bench, action: str) -> None:
    server = booted(bench, request("crowd"))
    ctx = request("crowd")
    start = threading.Barrier(COPIES)

    def ask() -> None:
        start.wait(30)
        conductor(bench).act(ctx, server, action, {})

    with concurrent.futures.ThreadPoolExecutor(COPIES) as pool:
        for asked in [pool.submit(ask) for _ in range(COPIES)]:
            asked.result(60)
    actions = bench.admin.ask("GET", f"/servers/{server}/os-instance-actions").body["instanceActions"]
    assert [a["action"] for a in actions] == [action, "create"]


def test_copies_of_a_create_and_of_a_snapshot_at_the_same_time(bench: Bench) -> None:
    limit(bench, "twins", instances=1)
    ctx, picture = request("twins"), request("twins")
    with concurrent.futures.ThreadPoolExecutor(COPIES) as pool:
        made = [pool.submit(conductor(bench).boot, ctx, wish(bench)) for _ in range(COPIES)]
        (server,) = {booted.result(60).ids[0] for booted in made}
        eventually(lambda: conductor(bench).show_instance(ctx, server).task_state is None)
        image = NewImage(name="picture")
        snaps = [pool.submit(conductor(bench).create_image, picture, server, image) for _ in range(COPIES)]
        assert len({snap.result(60) for snap in snaps}) == 1


def test_a_crowd_of_creates_takes_what_the_quota_has_and_each_gets_its_own_answer(bench: Bench) -> None:
    """They share transactions where they meet; every one comes twice."""
    limit(bench, "crowd-of-creates", instances=5)
    asked = [request("crowd-of-creates") for _ in range(8)]
    lost = request("crowd-of-creates")
    nothing = msgspec.structs.replace(wish(bench), flavor_id=FlavorId("none"))

    def boot(ctx: RequestContext) -> InstanceId | None:
        try:
            return conductor(bench).boot(ctx, nothing if ctx is lost else wish(bench)).ids[0]
        except QuotaExceeded:
            assert ctx is not lost
        except FlavorUnusable:
            assert ctx is lost
        return None

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(boot, [*asked, *asked, lost]))
    made = {answer for answer in answers if answer is not None}
    assert len(made) == 5
    used = bench.admin.ask("GET", "/os-quota-sets/crowd-of-creates/detail").body["quota_set"]["instances"]
    assert used["in_use"] == 5

    def all_run() -> bool:
        return all(conductor(bench).show_instance(asked[0], i).vm_state.value == "active" for i in made)

    eventually(all_run)


def test_a_crowd_of_actions_each_gets_its_own_answer(bench: Bench) -> None:
    servers = [booted(bench, request("crowd-of-actions")) for _ in range(4)]
    missing = InstanceId(ids.new_uuid())

    def delete(server: InstanceId) -> bool:
        try:
            conductor(bench).act(request("crowd-of-actions"), server, "delete", {})
        except InstanceNotFound:
            return False
        return True

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert list(pool.map(delete, [*servers, missing])) == [True] * 4 + [False]
    detail = "/os-quota-sets/crowd-of-actions/detail"
    eventually(lambda: bench.admin.ask("GET", detail).body["quota_set"]["instances"]["in_use"] == 0)
