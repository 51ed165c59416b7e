"""nova-compute as the conductor meets it."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable

import msgspec
import pytest

from nova.compute.host import Host
from nova.errors.virt import GuestNotFound
from nova.image.choice import image_store
from nova.objects.ids import HostName, ImageId, ProjectId
from nova.objects.image import NewImage
from nova.objects.jobs import Snapshot, Verdict
from nova.objects.states import Capability, Power
from nova.virt.base import PowerListener
from nova.virt.fake.driver import FakeDriver
from tests.support.eventually import eventually
from tests.support.guests import a_guest, an_id
from tests.unit.compute.conftest import Cloud, context

Clouds = Callable[..., Cloud]


def test_a_guest_lives(cloud: Cloud) -> None:
    build = cloud.build(1)
    assert cloud.do(build) is Verdict.DONE
    assert cloud.conductor.outcome(build).power is Power.RUNNING
    assert cloud.conductor.outcome(build).finished_at is not None
    spec = a_guest(1)
    for action, power, more in (
        ("reboot_soft", Power.RUNNING, {"guest": spec}),
        ("reboot_hard", Power.RUNNING, {"guest": spec}),
        ("pause", Power.PAUSED, {}),
        ("unpause", Power.RUNNING, {}),
        ("suspend", Power.SUSPENDED, {}),
        ("resume", Power.RUNNING, {"guest": spec}),
        ("stop", Power.SHUTDOWN, {"timeout_s": 0}),
        ("start", Power.RUNNING, {"guest": spec}),
    ):
        job = cloud.act(1, action, **more)
        assert cloud.do(job) is Verdict.DONE, action
        assert cloud.conductor.outcome(job).power is power, action
    assert "Fake kernel" in cloud.host().console_output(context(), an_id(1), 5)
    assert cloud.host().vnc(context(), an_id(1)).port == 5900
    assert cloud.host().diagnostics(context(), an_id(1)).driver == "fake"
    assert cloud.do(cloud.destroy(1, 2)) is Verdict.DONE
    assert cloud.do(cloud.destroy(1, 2)) is Verdict.DONE
    with pytest.raises(GuestNotFound):
        cloud.host().vnc(context(), an_id(1))
    # Jobs told all of it: nobody reads the guests a second time.
    assert all(whole for _, _, whole in cloud.conductor.seen)


def test_a_start_without_a_spec_asks_the_conductor(cloud: Cloud) -> None:
    cloud.do(cloud.build(1))
    cloud.do(cloud.act(1, "stop"))
    cloud.conductor.guests[an_id(1)] = a_guest(1)
    assert cloud.do(cloud.act(1, "start")) is Verdict.DONE
    unknown = cloud.act(2, "start")
    assert cloud.do(unknown) is Verdict.FAILED
    assert cloud.conductor.outcome(unknown).error == ("InstanceNotFound", {"id": an_id(2)})


def test_an_action_nobody_knows_is_refused_in_words(cloud: Cloud) -> None:
    job = cloud.act(1, "dance")
    assert cloud.do(job) is Verdict.FAILED
    assert cloud.conductor.outcome(job).error == ("NotCapable", {"capability": "dance"})


def test_the_same_job_is_done_once_and_answered_twice(cloud: Cloud) -> None:
    build = cloud.build(1)
    cloud.do(build)

    def answered_again() -> bool:
        # while the first answer is still on its way, the job that came again is answered by it
        cloud.send(build)
        return sum(o.job_id == build.id for o in cloud.conductor.outcomes) >= 2

    eventually(answered_again)
    status = cloud.host().job_status(context(), [build.id, "never-seen"])  # type: ignore[list-item]
    assert [s.verdict for s in status] == [Verdict.DONE, Verdict.UNKNOWN]


def test_an_older_fence_is_refused(cloud: Cloud) -> None:
    assert cloud.do(cloud.destroy(1, fence=5)) is Verdict.DONE
    assert cloud.do(cloud.build(1, fence=4)) is Verdict.REFUSED
    assert cloud.do(cloud.build(1, fence=6)) is Verdict.DONE


def test_a_destroy_ends_builds_that_wait_and_follows_the_one_at_work(clouds: Clouds) -> None:
    cloud = clouds(max_concurrent_builds="1")
    cloud.script({"method": "spawn", "instance": an_id(1), "fault": "hang"})
    cloud.serving()
    first, second = cloud.build(1), cloud.build(2)
    cloud.send(first, second)
    eventually(lambda: first.id not in cloud.conductor.ended() and _is_at_work(cloud, first.id))
    # The one that waits at the gate is let go at once, though nothing of the host moves.
    destroy = cloud.destroy(2, fence=2)
    assert cloud.do(destroy) is Verdict.DONE
    assert cloud.verdict(second) is Verdict.REFUSED
    last = cloud.destroy(1, fence=2)
    cloud.send(last)
    cloud.script()
    assert cloud.verdict(last) is Verdict.DONE
    assert cloud.verdict(first) in (Verdict.DONE, Verdict.FAILED)
    with pytest.raises(GuestNotFound):
        cloud.host().vnc(context(), an_id(1))


def _is_at_work(cloud: Cloud, job: str) -> bool:
    (status,) = cloud.host().job_status(context(), [job])  # type: ignore[list-item]
    return status.phase == "spawning"


def test_a_phase_that_lasts_is_told(cloud: Cloud) -> None:
    cloud.script({"method": "spawn", "delay_s": 0.5})
    build = cloud.build(1)
    cloud.do(build)
    told = [o for o in cloud.conductor.outcomes if o.verdict is Verdict.PROGRESS]
    assert [(o.job_id, o.phase) for o in told] == [(build.id, "spawning")]


@pytest.mark.parametrize(
    ("fault", "error", "unclear"),
    [
        ({"fault": "fail", "error": "HostFull"}, "HostFull", False),
        ({"fault": "fail", "when": "after"}, "ActionFailed", False),
        ({"fault": "break"}, "BuildFailed", False),
    ],
)
def test_a_failed_build_leaves_nothing(
    cloud: Cloud, fault: dict[str, str], error: str, unclear: bool
) -> None:
    cloud.script({"method": "spawn", **fault})
    build = cloud.build(1)
    assert cloud.do(build) is Verdict.FAILED
    outcome = cloud.conductor.outcome(build)
    assert outcome.error is not None
    assert (outcome.error[0], outcome.retry_elsewhere) == (error, True)
    assert bool(outcome.details.get("unclear")) is unclear
    with pytest.raises(GuestNotFound):
        cloud.host().vnc(context(), an_id(1))


def test_an_image_that_is_bad_anywhere_is_not_tried_elsewhere(cloud: Cloud) -> None:
    cloud.script({"method": "spawn", "fault": "fail", "error": "ImageUnusable"})
    build = cloud.build(1)
    assert cloud.do(build) is Verdict.FAILED
    assert not cloud.conductor.outcome(build).retry_elsewhere


def test_a_failed_build_that_cannot_be_taken_away_is_unclear(cloud: Cloud) -> None:
    cloud.script(
        {"method": "spawn", "fault": "fail", "when": "after"}, {"method": "destroy", "fault": "fail"}
    )
    build = cloud.build(1)
    assert cloud.do(build) is Verdict.FAILED
    assert cloud.conductor.outcome(build).details == {"unclear": True}


def test_a_surprise_in_an_action_is_unclear_and_tells_no_inside(cloud: Cloud) -> None:
    cloud.do(cloud.build(1))
    cloud.script({"method": "pause", "fault": "break"})
    job = cloud.act(1, "pause")
    assert cloud.do(job) is Verdict.FAILED
    outcome = cloud.conductor.outcome(job)
    assert outcome.details == {"unclear": True}
    assert outcome.error is not None and outcome.error[0] == "ActionFailed"


def test_reports_are_repeated_until_they_are_taken_over(clouds: Clouds) -> None:
    cloud = clouds(verify_window="0").serving()
    cloud.conductor.away.set()
    build = cloud.build(1)
    cloud.send(build)
    eventually(lambda: cloud.host().job_status(context(), [build.id])[0].verdict is Verdict.DONE)
    assert cloud.conductor.outcomes == []
    cloud.conductor.away.clear()
    assert cloud.verdict(build) is Verdict.DONE


def test_a_host_does_what_it_owes_when_it_starts(clouds: Clouds) -> None:
    cloud = clouds()
    build = cloud.build(1)
    cloud.conductor.debts["h"] = [build]
    cloud.serving()
    assert cloud.verdict(build) is Verdict.DONE


@pytest.mark.parametrize("is_old", [False, True])
def test_many_hosts_ask_at_once_what_they_owe(clouds: Clouds, is_old: bool) -> None:
    """A conductor of the release before is asked host by host."""
    cloud = clouds(hosts="30")
    cloud.conductor.is_old = is_old
    owed = [cloud.build(1), cloud.build(2)]
    cloud.conductor.debts |= {"h-3": owed[:1], "h-30": owed[1:]}
    cloud.serving()
    assert [cloud.verdict(build) for build in owed] == [Verdict.DONE] * 2
    assert {cloud.conductor.outcome(build).host for build in owed} == {"h-3", "h-30"}
    assert cloud.conductor.questions == (30 if is_old else 1)


def test_a_build_from_before_the_start_that_nobody_wants_is_not_done(cloud: Cloud) -> None:
    build = cloud.build(1)
    cloud.send(build, known=False)
    assert cloud.verdict(build) is Verdict.REFUSED


def test_builds_are_believed_later(clouds: Clouds) -> None:
    cloud = clouds(verify_window="0").serving()
    build = cloud.build(1)
    cloud.send(build, known=False)
    assert cloud.verdict(build) is Verdict.DONE


def test_a_build_that_comes_while_a_freeze_is_being_noticed_is_asked_for(
    clouds: Clouds, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud = clouds(verify_window="0").serving()
    begun, doubt = threading.Event(), Host.doubt

    def slowly(host: Host, until: float) -> None:
        begun.set()
        time.sleep(0.5)
        doubt(host, until)

    monkeypatch.setattr(Host, "doubt", slowly)
    cloud.clock.ahead += 60
    assert begun.wait(20)
    late = cloud.build(1)
    cloud.send(late, known=False)
    assert cloud.verdict(late) is Verdict.REFUSED


def test_after_a_freeze_builds_are_asked_for(clouds: Clouds) -> None:
    cloud = clouds(verify_window="0").serving()
    cloud.script({"method": "spawn", "instance": an_id(1), "fault": "hang"})
    first, queued = cloud.build(1), cloud.build(1)
    cloud.send(first, queued, known=False)
    eventually(lambda: _is_at_work(cloud, first.id))
    cloud.clock.ahead += 60
    late = cloud.build(2)
    cloud.send(late, known=False)
    assert cloud.verdict(late) is Verdict.REFUSED
    # Nobody stands by what waited since before the freeze either.
    cloud.script()
    assert cloud.verdict(queued) is Verdict.REFUSED
    assert cloud.do(cloud.build(3)) is Verdict.DONE


def test_guests_outlive_a_restart_and_are_reported_whole(cloud: Cloud) -> None:
    cloud.do(cloud.build(1))
    assert cloud.daemon is not None and cloud.daemon.stop(5)
    cloud.conductor.seen.clear()
    cloud.serving()
    eventually(lambda: cloud.conductor.seen)
    host, guests, whole = cloud.conductor.seen[0]
    assert (host, whole) == ("h", True)
    assert [(g.instance_id, g.power) for g in guests] == [(an_id(1), Power.RUNNING)]
    eventually(lambda: None in cloud.conductor.asked_filters)


def test_filters_that_changed_are_asked_for(cloud: Cloud) -> None:
    cloud.host().filters_changed(context(), [an_id(3)])
    eventually(lambda: [an_id(3)] in cloud.conductor.asked_filters)


def test_filters_that_change_before_a_build_ends_are_asked_for_again(cloud: Cloud) -> None:
    cloud.host().filters_changed(context(), [an_id(1)])
    eventually(lambda: [an_id(1)] in cloud.conductor.asked_filters)
    cloud.conductor.asked_filters.clear()
    cloud.do(cloud.build(1))
    eventually(lambda: [an_id(1)] in cloud.conductor.asked_filters)
    cloud.conductor.asked_filters.clear()
    cloud.do(cloud.build(2))
    assert [an_id(2)] not in cloud.conductor.asked_filters


def test_an_outcome_the_conductor_cannot_take_holds_up_no_other(clouds: Clouds) -> None:
    cloud = clouds(verify_window="0").serving()
    builds = [cloud.build(number) for number in range(9)]
    cloud.conductor.poison = builds[4].id
    cloud.send(*builds)
    eventually(lambda: len(cloud.conductor.ended()) == 8)
    assert builds[4].id not in cloud.conductor.ended()
    cloud.conductor.poison = None
    assert cloud.verdict(builds[4]) is Verdict.DONE


def test_builds_that_come_together_are_verified_together(cloud: Cloud) -> None:
    before = cloud.conductor.questions
    builds = [cloud.build(number) for number in range(40)]
    cloud.send(*builds)
    assert {cloud.verdict(build) for build in builds} == {Verdict.DONE}
    assert cloud.conductor.questions == before + 1


def test_it_waits_for_the_conductor_and_for_the_hypervisor(clouds: Clouds) -> None:
    cloud = clouds()
    cloud.conductor.away.set()
    cloud.script({"method": "start", "fault": "fail", "error": "HypervisorUnavailable"})
    daemon = cloud.start()
    assert not daemon.wait_serving(0.3)
    cloud.conductor.away.clear()
    assert not daemon.wait_serving(0.3)
    cloud.script()
    assert daemon.wait_serving(10)


def test_many_hosts_share_a_process(clouds: Clouds) -> None:
    cloud = clouds(hosts="30").serving()
    hosts = [HostName(f"h-{number}") for number in range(1, 31)]
    eventually(lambda: sorted(cloud.conductor.inventories) == sorted(hosts))
    assert cloud.conductor.inventory_messages == 1
    inventory = cloud.conductor.inventories["h-7"]
    assert (inventory.node, inventory.hypervisor_type) == ("h-7", "fake")
    assert Capability.PAUSE in inventory.capabilities
    eventually(lambda: cloud.conductor.beats)
    assert sorted(beat.host for beat in cloud.conductor.beats[0]) == sorted(hosts)
    jobs = [cloud.build(number) for number in range(300)]
    cloud.conductor.late_debts += jobs
    for number, job in enumerate(jobs):
        cloud.send(job, host=hosts[number % 30], known=False)
    eventually(lambda: len(cloud.conductor.ended()) == 300)
    assert set(cloud.conductor.ended().values()) == {Verdict.DONE}
    assert cloud.do(cloud.destroy(7, 2), host=hosts[7]) is Verdict.DONE


def test_a_host_whose_hypervisor_is_away_does_not_beat_and_comes_later(clouds: Clouds) -> None:
    cloud = clouds(hosts="2")
    cloud.script({"method": "start", "host": "h-2", "fault": "fail"})
    cloud.serving()
    eventually(lambda: cloud.conductor.beats)
    assert [beat.host for beat in cloud.conductor.beats[0]] == ["h-1"]
    cloud.script()
    eventually(lambda: len(cloud.conductor.beats[-1]) == 2, within_s=15)


def test_a_snapshot_fills_the_image_that_waits_once(cloud: Cloud) -> None:
    store = image_store(cloud.around.conf)
    image = store.create(NewImage(name="snap"), ProjectId("p"))
    cloud.do(cloud.build(1))
    snapshot = cloud.job(1, Snapshot(image_id=image.id))
    assert cloud.do(snapshot) is Verdict.DONE
    assert cloud.conductor.outcome(snapshot).power is Power.RUNNING
    made = store.show(image.id)
    assert (made.status, made.disk_format) == ("active", "qcow2")
    again = cloud.job(1, Snapshot(image_id=image.id))
    assert cloud.do(again) is Verdict.DONE
    assert store.show(image.id) == made
    missing = cloud.job(1, Snapshot(image_id=ImageId("nothing")))
    assert cloud.do(missing) is Verdict.FAILED
    assert list((cloud.folder / "instances" / "_snapshots").iterdir()) == []


def test_images_are_fetched_ahead_of_need(
    clouds: Clouds, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(FakeDriver, "needs_images", True)
    cloud = clouds().serving()
    store = image_store(cloud.around.conf)
    images = [store.create(NewImage(name=name, disk_format="raw"), ProjectId("p")) for name in ("a", "b")]
    for image, data in zip(images, (b"first", b"second"), strict=True):
        store.upload(image.id, io.BytesIO(data))
    images = [store.show(image.id) for image in images]
    missing = msgspec.structs.replace(images[0], id=ImageId("nothing"), hash_value="0" * 128)
    base = cloud.folder / "instances" / "_base"
    for _ in range(2):
        cloud.host().cache_images(context(), [missing, *images])
    eventually(lambda: base.exists() and len(list(base.glob("*.raw"))) == 2)
    assert {path.read_bytes() for path in base.iterdir()} == {b"first", b"second"}
    assert "image nothing could not be fetched ahead for h" in caplog.text


@pytest.fixture
def drivers(monkeypatch: pytest.MonkeyPatch) -> list[FakeDriver]:
    """The drivers that were started, to reach into their guests."""
    found: list[FakeDriver] = []
    start = FakeDriver.start

    def started(self: FakeDriver, on_power: PowerListener) -> None:
        start(self, on_power)
        found.append(self)

    monkeypatch.setattr(FakeDriver, "start", started)
    return found


def test_a_guest_that_stops_by_itself_is_told_at_once(clouds: Clouds, drivers: list[FakeDriver]) -> None:
    cloud = clouds().serving()
    cloud.do(cloud.build(1))
    drivers[0].shut_down_inside(an_id(1))
    eventually(lambda: (an_id(1), Power.SHUTDOWN, False) in _told(cloud))


def test_news_of_guests_waits_for_a_conductor_that_is_away(clouds: Clouds, drivers: list[FakeDriver]) -> None:
    cloud = clouds().serving()
    cloud.do(cloud.build(1))
    cloud.conductor.away.set()
    drivers[0].shut_down_inside(an_id(1))
    assert (an_id(1), Power.SHUTDOWN, False) not in _told(cloud)
    cloud.conductor.away.clear()
    eventually(lambda: (an_id(1), Power.SHUTDOWN, False) in _told(cloud))


def _told(cloud: Cloud) -> list[tuple[str, Power, bool]]:
    return [(g.instance_id, g.power, whole) for _, guests, whole in cloud.conductor.seen for g in guests]


def test_options_that_are_read_again_count_for_the_next_job(cloud: Cloud) -> None:
    """One build at a time, of two that were allowed before: the second waits for the first."""
    daemon = cloud.daemon
    assert daemon is not None
    cloud.options["max_concurrent_builds"] = "1"
    cloud.surroundings()  # writes the file anew
    daemon._conf.reload_config_files()
    daemon.reload()
    cloud.script({"method": "spawn", "delay_s": 0.5})
    jobs = [cloud.build(1), cloud.build(2)]
    cloud.send(*jobs)
    eventually(lambda: any(job.id in cloud.conductor.ended() for job in jobs))
    assert sum(job.id in cloud.conductor.ended() for job in jobs) == 1
    assert {cloud.verdict(job) for job in jobs} == {Verdict.DONE}
