"""nova-scheduler over the in-memory transport, with a conductor that answers from a list."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import msgspec
import pytest

from nova.clock import Clock
from nova.conf import load
from nova.conf.scheduler import SchedulerOptions
from nova.context import system_context
from nova.daemon import Daemon, Surroundings
from nova.errors import Unavailable
from nova.objects.host import HostSnapshot, HostView, ServiceBeat
from nova.objects.ids import HostName
from nova.rpc.contracts.conductor.reports import Reports
from nova.rpc.contracts.scheduler import Scheduler
from nova.scheduler import daemon as scheduler_daemon
from nova.scheduler.daemon import make_daemon
from tests.support.eventually import eventually
from tests.support.scheduling import flavor, request, view

CTX = system_context("req-test")


class Conductor:
    """Keeps the hosts, with the position at which each changed last."""

    def __init__(self) -> None:
        self.position = 1
        self.rows: dict[str, tuple[int, HostView]] = {}
        self.asked: list[int | None] = []
        self.beats: list[ServiceBeat] = []
        self.hinder: Callable[[], object] = lambda: None
        """Comes before each answer about hosts."""
        self._lock = threading.Lock()

    def put(self, host: HostView) -> HostSnapshot:
        """Change a host; return the message that would tell of it."""
        with self._lock:
            self.position += 1
            self.rows[host.host] = (self.position, host)
            return HostSnapshot(position=self.position, hosts=(host,), whole=False)

    def host_views(self, ctx, since):
        with self._lock:
            self.asked.append(since)
        self.hinder()
        with self._lock:
            hosts = tuple(v for at, v in self.rows.values() if since is None or at > since)
            return HostSnapshot(
                position=self.position,
                hosts=hosts,
                whole=since is None,
                aggregates=() if since is None else None,
            )

    def heartbeat(self, ctx, beats):
        self.beats += beats

    def __getattr__(self, name):
        """Serve the rest of the contract, of which nova-scheduler uses nothing."""

        def unused(*_):
            raise AssertionError(f"nova-scheduler does not use {name}")

        return unused


class Stage:
    """Conductor and scheduler on one bus."""

    def __init__(self, bus: str, **options: object) -> None:
        conf = load([], files=[])
        conf.set_override("transport_url", f"memory:///{bus}")
        self.surroundings = Surroundings(conf, host="sched1", clock=Clock())
        self.conductor = Conductor()
        self.server = self.surroundings.server(Reports, self.conductor)
        # Nothing but what a test is about brings news: no loop, no look at the view's age.
        calm = {"view_refresh_interval": 100.0, "view_stale_after": 100.0, "view_max_age": 100.0}
        self.daemon: Daemon = make_daemon(
            self.surroundings, msgspec.structs.replace(SchedulerOptions(), **(calm | options))
        )
        self.client = self.surroundings.client(Scheduler)

    def start(self) -> None:
        self.server.start()
        self.daemon.start()
        assert self.daemon.wait_serving(10)

    def tell(self, snapshot: HostSnapshot) -> None:
        self.client.all.hosts_changed(CTX, snapshot)

    def select(self, *requests):
        return self.client.any.select(CTX, list(requests))

    def stop(self) -> None:
        self.daemon.stop(5)
        self.server.stop(5)
        self.surroundings.close()


@pytest.fixture
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    made = Stage(request.node.name, **getattr(request, "param", {}))
    yield made
    made.stop()


def with_options(**options: float) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("stage", [options], indirect=True, ids=["told"])


def test_waits_for_the_conductor_then_serves_beats_and_answers(stage: Stage) -> None:
    stage.daemon.start()
    assert not stage.daemon.wait_serving(0.3)
    assert stage.daemon.waiting_for == ("the conductor",)
    stage.conductor.put(view("a"))
    stage.server.start()
    assert stage.daemon.wait_serving(30)
    (decision,) = stage.select(request())
    assert [c.host for c in decision.choices] == ["a"]
    assert decision.explanation.considered == 1
    eventually(lambda: stage.conductor.beats)
    assert stage.conductor.beats[0] == ServiceBeat(
        host=HostName("sched1"), binary="nova-scheduler", topic="scheduler"
    )
    assert stage.client.any.ping(CTX).binary == "nova-scheduler"


def test_takes_over_what_it_is_told(stage: Stage) -> None:
    stage.conductor.put(view("a"))
    stage.start()
    asked = len(stage.conductor.asked)
    stage.tell(stage.conductor.put(view("b", used_ram_mb=64)))
    stage.tell(stage.conductor.put(view("a", up=False, generation=1)))

    def on_b() -> bool:
        (decision,) = stage.select(request())
        return [c.host for c in decision.choices] == ["b"]

    eventually(on_b)
    assert len(stage.conductor.asked) == asked


def test_asks_for_what_it_missed(stage: Stage) -> None:
    stage.conductor.put(view("a"))
    stage.start()
    position = stage.conductor.position
    stage.conductor.put(view("b", vcpus=64))
    stage.tell(stage.conductor.put(view("c")))
    eventually(lambda: position in stage.conductor.asked)
    wide = request(flavor=flavor(vcpus=32))
    eventually(lambda: stage.select(wide)[0].choices)


def test_asks_again_before_it_says_that_no_host_is_left(stage: Stage) -> None:
    stage.conductor.put(view("a"))
    stage.start()
    stage.conductor.put(view("b", vcpus=64))
    wide = request(flavor=flavor(vcpus=32))
    # No message came: only the request itself can bring the new host in.
    assert [c.host for c in stage.select(wide)[0].choices] == ["b"]


@with_options(view_stale_after=0.2)
def test_decides_on_an_old_view_while_the_conductor_is_away(stage: Stage) -> None:
    stage.conductor.put(view("a"))
    stage.start()

    def fails() -> None:
        raise Unavailable(part="the database")

    stage.conductor.hinder = fails
    stage.surroundings.clock.sleep(0.3)
    asked = len(stage.conductor.asked)
    (decision,) = stage.select(request())
    assert [c.host for c in decision.choices] == ["a"]
    assert len(stage.conductor.asked) > asked


@with_options(view_stale_after=0.2)
def test_does_not_wait_long_for_a_conductor_that_stands_still(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler_daemon, "_PATIENCE_S", 0.5)
    stage.conductor.put(view("a"))
    stage.start()
    thaws = threading.Event()
    stage.conductor.hinder = lambda: thaws.wait(60)
    stage.surroundings.clock.sleep(0.3)
    found: list[str] = []
    deciding = threading.Thread(
        target=lambda: found.extend(c.host for c in stage.select(request())[0].choices)
    )
    deciding.start()
    deciding.join(20)
    thaws.set()
    assert found == ["a"]


@with_options(view_refresh_interval=0.1)
def test_follows_by_itself_while_it_is_busy(stage: Stage) -> None:
    stage.conductor.put(view("a"))
    stage.start()
    stage.select(request())
    before = stage.conductor.position
    stage.conductor.put(view("b"))
    eventually(lambda: stage.conductor.position in stage.conductor.asked)
    assert before in stage.conductor.asked


def test_never_promises_a_host_twice(stage: Stage) -> None:
    stage.conductor.put(view("a", vcpus=2))
    stage.conductor.put(view("b", vcpus=2))
    stage.start()
    found = [stage.select(request(flavor=flavor(vcpus=2), name=f"r{n}"))[0] for n in range(3)]
    assert sorted(c.host for d in found for c in d.choices) == ["a", "b"]
    assert not found[2].choices
    assert "CoreFilter removed 2" in found[2].explanation.sentence()
