"""What one copy of a call was refused, no other copy does, whichever comes first and wherever.

A first copy may wait at a conductor whose database restarts; its caller sends a second one to another
conductor, is refused, and tells so: then the first one comes to its turn, and finds that it could be done.
"""

from __future__ import annotations

import concurrent.futures
import random
import threading
from collections.abc import Callable, Iterator

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from nova import ids
from nova.conductor.endpoint import ConductorEndpoint
from nova.context import RequestContext
from nova.errors.admin import OutOfQuota, QuotaBelowUse
from nova.errors.database import DatabaseUnavailable
from nova.errors.servers import (
    ImageUnknown,
    InstanceInWrongState,
    InstanceLocked,
    QuotaExceeded,
    TagNotFound,
)
from nova.objects.ids import FlavorId, ImageId, InstanceId, ProjectId
from nova.objects.image import NewImage
from nova.objects.instance import BootWish, InstanceQuery
from nova.objects.network import NetworkChoice
from nova.objects.page import Page
from nova.rpc.client import make_client
from nova.rpc.contracts.conductor import Conductor
from nova.rpc.metrics import RpcMetrics
from tests.support.cloud import Bench, eventually
from tests.support.copies import Copying
from tests.support.workflows import world_of

COPIES = 5
ROUNDS = 8


@pytest.fixture
def wire(bench: Bench) -> Iterator[Copying]:
    transport = Copying(bench.cloud.surroundings.transport)
    yield transport
    transport.close()


@pytest.fixture
def conductor(wire: Copying) -> Conductor:
    return make_client(Conductor, wire, RpcMetrics(CollectorRegistry())).any


@pytest.fixture
def ctx() -> RequestContext:
    """A request of a project of its own."""
    return RequestContext(
        request_id=ids.new_request_id(), user_id="u", project_id=ids.new_uuid(), roles=("member",)
    )


def another(ctx: RequestContext, *, is_admin: bool = False) -> RequestContext:
    return msgspec.structs.replace(ctx, request_id=ids.new_request_id(), is_admin=is_admin)


def wish(bench: Bench, **values: object) -> BootWish:
    made = BootWish(
        name="web",
        image_id=ImageId(bench.image),
        flavor_id=FlavorId("1"),
        network_choice=NetworkChoice.NONE,
    )
    return msgspec.structs.replace(made, **values)


def at(bench: Bench, number: int) -> ConductorEndpoint:
    """Return what one of the conductors answers, without the wire."""
    return ConductorEndpoint(world_of(bench, number))


def limit(bench: Bench, ctx: RequestContext, **limits: int) -> None:
    at(bench, 1).put_quotas(another(ctx, is_admin=True), ProjectId(ctx.project_id), limits, True)


def servers(bench: Bench, ctx: RequestContext) -> int:
    return len(at(bench, 0).list_instances(ctx, InstanceQuery()).instances)


def booted(bench: Bench, ctx: RequestContext) -> InstanceId:
    asked = another(ctx)
    conductor = at(bench, 1)
    made = conductor.boot(asked, wish(bench)).ids[0]
    eventually(lambda: conductor.show_instance(asked, made).task_state is None)
    return made


def records(bench: Bench, server: InstanceId) -> list[str]:
    answer = bench.admin.ask("GET", f"/servers/{server}/os-instance-actions")
    assert answer.body is not None
    return [action["action"] for action in answer.body["instanceActions"]]


def test_a_create_beyond_the_quota(
    bench: Bench, wire: Copying, conductor: Conductor, ctx: RequestContext
) -> None:
    limit(bench, ctx, instances=0)
    with pytest.raises(QuotaExceeded):
        conductor.boot(ctx, wish(bench, max_count=3))
    limit(bench, ctx, instances=5)
    wire.again()
    assert servers(bench, ctx) == 0
    conductor.boot(another(ctx), wish(bench))
    assert servers(bench, ctx) == 1


def test_a_create_whose_image_was_not_there_yet(bench: Bench, ctx: RequestContext) -> None:
    conductor = at(bench, 0)
    for image in (ids.new_uuid(), bench.image):
        with pytest.raises(ImageUnknown):
            conductor.boot(ctx, wish(bench, image_id=ImageId(image)))
    assert servers(bench, ctx) == 0


def test_a_first_copy_that_waits_for_its_database(bench: Bench, ctx: RequestContext) -> None:
    """The second one is refused at the other conductor meanwhile."""
    slow, goes_on, waits = world_of(bench, 0), threading.Event(), threading.Event()
    waiting: list[int] = []

    def away(point: str) -> None:
        if point == "begin" and threading.get_ident() in waiting:
            waits.set()
            assert goes_on.wait(30)

    def first() -> None:
        waiting.append(threading.get_ident())
        at(bench, 0).boot(ctx, wish(bench))

    limit(bench, ctx, instances=0)
    slow.db.disturb = away
    try:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            asked = pool.submit(first)
            assert waits.wait(30)
            with pytest.raises(QuotaExceeded) as second:
                at(bench, 1).boot(ctx, wish(bench))
            limit(bench, ctx, instances=5)
            goes_on.set()
            with pytest.raises(QuotaExceeded) as told:
                asked.result(30)
    finally:
        goes_on.set()
        slow.db.disturb = None
    assert str(told.value) == str(second.value)
    assert servers(bench, ctx) == 0


@pytest.mark.parametrize("action", ["stop", "reboot_soft", "delete"])
def test_an_action_of_a_locked_server(
    bench: Bench, wire: Copying, conductor: Conductor, ctx: RequestContext, action: str
) -> None:
    server = booted(bench, ctx)
    at(bench, 0).act(another(ctx, is_admin=True), server, "lock", {})
    with pytest.raises(InstanceLocked):
        conductor.act(ctx, server, action, {})
    at(bench, 1).act(another(ctx, is_admin=True), server, "unlock", {})
    wire.again()
    assert records(bench, server) == ["unlock", "lock", "create"]
    conductor.act(another(ctx), server, action, {})
    assert len(records(bench, server)) == 4


def test_a_snapshot_of_a_locked_server(
    bench: Bench, wire: Copying, conductor: Conductor, ctx: RequestContext
) -> None:
    server = booted(bench, ctx)
    at(bench, 0).act(another(ctx, is_admin=True), server, "pause", {})
    eventually(lambda: at(bench, 0).show_instance(ctx, server).task_state is None)
    with pytest.raises(InstanceInWrongState):
        conductor.act(ctx, server, "stop", {})
    wire.again()
    at(bench, 0).act(another(ctx, is_admin=True), server, "resetState", {"state": "error"})
    with pytest.raises(InstanceInWrongState):
        conductor.create_image(ctx, server, NewImage(name="picture"))
    at(bench, 0).act(another(ctx, is_admin=True), server, "resetState", {"state": "active"})
    wire.again()
    assert "createImage" not in records(bench, server)


def test_a_snapshot_of_which_nobody_knows_whether_it_was_granted(
    bench: Bench, ctx: RequestContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The image stays: it is that of the copy that was granted."""
    server, slow = booted(bench, ctx), world_of(bench, 0)
    create, granted = slow.images.create, threading.Event()

    def meanwhile(picture: NewImage, project: ProjectId, image_id: ImageId) -> object:
        made = create(picture, project, image_id=image_id)
        if not granted.is_set():
            granted.set()
            at(bench, 1).create_image(ctx, server, NewImage(name="picture"))
            slow.db.disturb = away
        return made

    def away(_point: str) -> None:
        slow.db.disturb = None
        raise DatabaseUnavailable

    monkeypatch.setattr(slow.images, "create", meanwhile)
    with pytest.raises(DatabaseUnavailable):
        at(bench, 0).create_image(ctx, server, NewImage(name="picture"))
    image = ImageId(ids.derived_uuid(ctx.request_id, server, "image"))
    eventually(lambda: slow.images.show(image).status == "active")
    assert records(bench, server)[0] == "createImage"


def test_what_is_settled_at_once(
    bench: Bench, wire: Copying, conductor: Conductor, ctx: RequestContext
) -> None:
    server = booted(bench, ctx)
    with pytest.raises(TagNotFound):
        conductor.delete_tag(ctx, server, "x")
    at(bench, 0).set_tags(another(ctx), server, ["x"])
    wire.again()
    assert at(bench, 0).show_instance(ctx, server).tags == ("x",)
    limit(bench, ctx, server_groups=0)
    with pytest.raises(OutOfQuota):
        conductor.create_server_group(ctx, "g", "affinity", None)
    limit(bench, ctx, server_groups=1)
    wire.again()
    assert at(bench, 0).list_server_groups(ctx, Page(), False) == []
    with pytest.raises(QuotaBelowUse):
        conductor.put_quotas(ctx, ProjectId(ctx.project_id), {"instances": 0}, False)
    at(bench, 0).act(another(ctx), server, "delete", {})
    eventually(lambda: servers(bench, ctx) == 0)
    wire.again()
    assert at(bench, 0).show_quotas(ctx, ProjectId(ctx.project_id), None).limits["instances"] == 1000


@pytest.mark.parametrize("seed", range(3))
def test_copies_agree_while_what_they_depend_on_changes(
    bench: Bench, wire: Copying, conductor: Conductor, ctx: RequestContext, seed: int
) -> None:
    """Creates while the quota opens and closes; actions while the server is locked and unlocked."""
    server, ends = booted(bench, ctx), threading.Event()
    chance = random.Random(seed)

    def flip() -> None:
        while not ends.wait(0.001):  # green threads need a moment that is not theirs
            limit(bench, ctx, instances=chance.choice((1, 100)), server_groups=chance.choice((0, 100)))
            at(bench, 0).act(another(ctx, is_admin=True), server, chance.choice(("lock", "unlock")), {})

    def granted(ask: Callable[..., object], *arguments: object) -> bool:
        try:
            ask(another(ctx), *arguments)
        except (QuotaExceeded, OutOfQuota, InstanceLocked, InstanceInWrongState):
            return False
        return True

    wire.at_once = COPIES
    made = grouped = 0
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        flipping = pool.submit(flip)
        try:
            for number in range(ROUNDS):
                made += granted(conductor.boot, wish(bench))
                grouped += granted(conductor.create_server_group, f"g{number}", "affinity", None)
                granted(conductor.act, server, "pause", {})
                granted(conductor.act, server, "unpause", {})
        finally:
            ends.set()
        flipping.result(30)
    assert servers(bench, ctx) == 1 + made
    assert len(at(bench, 0).list_server_groups(ctx, Page(), False)) == grouped
