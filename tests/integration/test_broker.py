"""Daemons talk over a real RabbitMQ, from the configuration that an operator writes."""

from __future__ import annotations

import threading
from pathlib import Path

from nova.conf import load
from nova.context import RequestContext, system_context
from nova.daemon import Surroundings
from nova.errors.servers import NoValidHost
from nova.objects.host import HostSnapshot
from nova.objects.placement import Decision, PlacementRequest
from nova.rpc.contracts.base import DaemonFacts
from nova.rpc.contracts.scheduler import Scheduler
from tests.support.rabbitmq import rabbitmq


class Endpoint:
    """Answers, refuses, and hears what is said to all."""

    def __init__(self) -> None:
        self.heard = threading.Event()

    def ping(self, ctx: RequestContext) -> DaemonFacts:
        return DaemonFacts(binary="nova-scheduler", host=ctx.request_id, version="1")

    def select(self, ctx: RequestContext, requests: list[PlacementRequest]) -> list[Decision]:
        raise NoValidHost(reason="nothing is there")

    def hosts_changed(self, ctx: RequestContext, snapshot: HostSnapshot) -> None:
        self.heard.set()


def test_calls_errors_and_casts_cross_a_broker(tmp_path: Path) -> None:
    with rabbitmq() as broker:
        file = tmp_path / "nova.conf"
        file.write_text(f"[DEFAULT]\ntransport_url = {broker.url}\n")
        surroundings = Surroundings(load(["--config-file", str(file)]))
        endpoint = Endpoint()
        server = surroundings.server(Scheduler, endpoint)
        server.start()
        try:
            client = surroundings.client(Scheduler)
            assert client.any.ping(system_context("req-1")).host == "req-1"
            try:
                client.any.select(system_context("req-2"), [])
            except NoValidHost as error:
                assert "nothing is there" in error.sentence()
            else:
                raise AssertionError("the error did not cross")
            client.all.hosts_changed(system_context("req-3"), HostSnapshot(position=1))
            assert endpoint.heard.wait(20)
        finally:
            server.stop(5)
            surroundings.close()
