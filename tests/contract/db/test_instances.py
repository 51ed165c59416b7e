"""Instances: what is stored comes back, states change by swap alone, edits never get lost."""

from __future__ import annotations

import msgspec
import pytest

from nova import ids
from nova.db import instances
from nova.db.engine import Database
from nova.db.instances import Swap
from nova.errors.database import Duplicate
from nova.objects.block_device import BlockDevice, Source
from nova.objects.ids import ProjectId
from nova.objects.instance import Fault, Instance
from nova.objects.network import Vif
from nova.objects.states import LockedBy, Power, Task, Vm
from tests.contract.db.makers import NOW, ShownClock, at, instance

VIF = Vif(
    id=ids.new_uuid(),
    mac="fa:16:3e:00:00:01",
    network_id=ids.new_uuid(),
    label="private",
    addresses=("10.0.0.3",),
)
FULL = {
    "description": 'a "quoted" \\ thing\nwith lines, ümlauts and 🐧',
    "display_name": 'na"me',
    "metadata": {"a": "1", "b": "zwei"},
    "tags": ("blue", "rot"),
    "vifs": (VIF,),
    "security_groups": ("default",),
    "block_devices": (BlockDevice(id="x", source=Source.IMAGE, boot_index=0, size_gb=1),),
    "key_name": "mine",
    "key_data": "ssh-ed25519 AAAA",
    "user_data": "aGVsbG8=",
    "config_drive": True,
    "locked_by": LockedBy.ADMIN,
    "locked_reason": 'be"cause\n',
    "availability_zone": "zone ü",
    "host": "h1",
    "node": 'n"1',
    "launch_index": 7,
    "root_device_name": None,
    "access_ip_v4": "1.2.3.4",
    "auto_disk_config": False,
    "progress": 55,
    "scheduler_hints": {"group": ["x"]},
    "trusted_certs": (),
    "fault": Fault(code=500, message="no", created_at=NOW, details="because"),
    "power_state": Power.RUNNING,
    "vm_state": Vm.ERROR,
    "launched_at": at(1),
    "updated_at": at(2),
    "revision": 3,
}


@pytest.mark.parametrize("values", [{}, FULL, {"deleted_at": at(9), "terminated_at": at(8), "image": None}])
def test_what_is_stored_comes_back(db: Database, values: dict[str, object]) -> None:
    stored = instance(**values)
    db.run(lambda tx: instances.insert(tx, [stored]))
    assert db.read(lambda tx: instances.get(tx, stored.id)) == stored
    raw = db.read(lambda tx: instances.get_raw(tx, stored.id))
    assert raw is not None
    assert msgspec.json.decode(raw, type=Instance) == stored


def test_an_unknown_instance_is_none(db: Database) -> None:
    assert db.read(lambda tx: instances.get(tx, ids.new_uuid())) is None


def test_an_id_is_taken_once(db: Database) -> None:
    stored = instance()
    db.run(lambda tx: instances.insert(tx, [stored]))
    with pytest.raises(Duplicate):
        db.run(lambda tx: instances.insert(tx, [instance(), stored]))
    assert db.read(lambda tx: instances.use_of(tx, "p1")) == (1, 1, 512)


def test_swap_changes_only_what_is_as_expected(db: Database, clock: ShownClock) -> None:
    some = [instance(task_state=None if i % 2 else Task.SCHEDULING) for i in range(7)]
    db.run(lambda tx: instances.insert(tx, some))
    swaps = [
        Swap(
            id=one.id,
            expect_vm=frozenset({Vm.BUILDING}),
            expect_task=frozenset({Task.SCHEDULING}),
            vm=Vm.ACTIVE,
            task=None,
            power=Power.RUNNING,
            launched_at=at(5),
        )
        for one in some
    ]
    clock.show(6)
    won = db.run(lambda tx: dict(instances.swap(tx, swaps)))
    assert won == {i.id: 1 for i in some if i.task_state}
    shown = db.read(lambda tx: instances.get_many(tx, [i.id for i in some]))
    for before in some:
        after = shown[before.id]
        if before.task_state is None:
            assert after == before
        else:
            assert (after.vm_state, after.task_state, after.power_state) == (Vm.ACTIVE, None, Power.RUNNING)
            assert (after.launched_at, after.updated_at, after.revision) == (at(5), at(6), 1)
    assert not db.run(lambda tx: instances.swap(tx, swaps))


def test_each_instance_gets_its_own_values(db: Database) -> None:
    some = [instance() for _ in range(5)]
    db.run(lambda tx: instances.insert(tx, some))
    db.run(lambda tx: instances.swap(tx, [Swap(id=some[2].id, vm=Vm.ERROR)]))
    swaps = [
        Swap(
            id=one.id,
            expect_vm=frozenset({Vm.BUILDING}),
            expect_task=frozenset({Task.SCHEDULING, None}),
            host=f"h{n}",
            node=f"n{n}",
            task=Task.SPAWNING,
            vifs=(VIF,),
        )
        for n, one in enumerate(some)
    ]
    before = db.statements
    won = db.run(lambda tx: set(instances.swap(tx, swaps)))
    assert db.statements - before == 2
    assert won == {one.id for one in some} - {some[2].id}
    shown = db.read(lambda tx: instances.get_many(tx, [one.id for one in some]))
    assert [shown[one.id].host for one in some] == ["h0", "h1", None, "h3", "h4"]
    assert shown[some[0].id].vifs == (VIF,)
    asked = [some[0].id, some[2].id]
    project = some[0].project_id
    assert db.read(lambda tx: instances.hosts_of(tx, asked, project)) == {asked[0]: "h0", asked[1]: None}
    assert db.read(lambda tx: instances.hosts_of(tx, asked, ProjectId("another"))) == {}


def test_a_deleted_instance_never_changes_again(db: Database) -> None:
    one = instance()
    db.run(lambda tx: instances.insert(tx, [one]))
    gone = Swap(id=one.id, vm=Vm.DELETED, task=None, deleted_at=at(1))
    assert one.id in db.run(lambda tx: instances.swap(tx, [gone]))
    assert not db.run(lambda tx: instances.swap(tx, [gone]))
    assert db.run(lambda tx: instances.edit(tx, one.id, lambda i: i)) is None
    shown = db.read(lambda tx: instances.get(tx, one.id))
    assert shown is not None and shown.is_deleted
    assert db.run(lambda tx: instances.swap(tx, [Swap(id=one.id, expect_deleted=None, progress=1)]))


def test_a_swap_may_name_revision_and_host(db: Database) -> None:
    one = instance(host="h1")
    db.run(lambda tx: instances.insert(tx, [one]))
    assert not db.run(lambda tx: instances.swap(tx, [Swap(id=one.id, progress=5, expect_revision=4)]))
    assert not db.run(lambda tx: instances.swap(tx, [Swap(id=one.id, progress=5, expect_host="h2")]))
    both = Swap(id=one.id, progress=5, expect_host="h1", expect_revision=0)
    assert db.run(lambda tx: instances.swap(tx, [both]))


def test_an_edit_keeps_states_and_changes_the_rest(db: Database, clock: ShownClock) -> None:
    one = instance(tags=("a", "b"))
    db.run(lambda tx: instances.insert(tx, [one]))

    def change(before: Instance) -> Instance:
        return msgspec.structs.replace(before, display_name="new", metadata={"k": "v"}, tags=("b", "c"))

    clock.show(4)
    after = db.run(lambda tx: instances.edit(tx, one.id, change))
    assert after == db.read(lambda tx: instances.get(tx, one.id))
    assert after is not None
    assert (after.display_name, after.metadata, after.tags) == ("new", {"k": "v"}, ("b", "c"))
    assert (after.revision, after.updated_at) == (1, at(4))


def test_an_edit_sees_what_others_wrote_meanwhile(db: Database) -> None:
    if db.backend == "sqlite":
        return  # one writer at a time: nothing comes between
    one = instance()
    db.run(lambda tx: instances.insert(tx, [one]))
    calls = []

    def change(before: Instance) -> Instance:
        calls.append(before.metadata)
        if len(calls) == 1:
            other = Database(str(db.engine.url.render_as_string(hide_password=False)))
            _in_thread(lambda: other.run(lambda tx: instances.edit(tx, one.id, lambda i: _meta(i, "x"))))
            other.close()
        return _meta(before, "y")

    db.run(lambda tx: instances.edit(tx, one.id, change))
    shown = db.read(lambda tx: instances.get(tx, one.id))
    assert shown is not None and shown.metadata == {"x": "1", "y": "1"}
    assert calls == [{}, {"x": "1"}]


def _meta(before: Instance, key: str) -> Instance:
    return msgspec.structs.replace(before, metadata={**before.metadata, key: "1"})


def _in_thread(call: object) -> None:
    import threading

    thread = threading.Thread(target=call)  # type: ignore[arg-type]
    thread.start()
    thread.join(30)


def test_states_and_counts_without_the_rest(db: Database) -> None:
    some = [instance(host="h1"), instance(host="h2"), instance(host="h1", deleted_at=at(1))]
    db.run(lambda tx: instances.insert(tx, some))
    found = db.read(lambda tx: instances.states(tx, [i.id for i in some]))
    assert [found[i.id].deleted for i in some] == [False, False, True]
    assert db.read(lambda tx: instances.count_on(tx, ["h1", "h2", "h3"])) == {"h1": 1, "h2": 1}
    assert [i.id for i in db.read(lambda tx: instances.of_host(tx, "h1"))] == [some[0].id]


def test_who_lived_in_a_period(db: Database) -> None:
    early = instance(created_at=at(-100), launched_at=at(-90), deleted_at=at(-50))
    late = instance(launched_at=at(5))
    never = instance()
    db.run(lambda tx: instances.insert(tx, [early, late, never]))
    assert db.read(lambda tx: instances.lived_in(tx, at(-60), at(-10))) == [early]
    assert db.read(lambda tx: instances.lived_in(tx, at(-10), at(10), project="p1")) == [late]
    assert db.read(lambda tx: instances.lived_in(tx, at(-100), at(10), project="p2")) == []
