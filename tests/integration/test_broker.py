"""Daemons talk over a real RabbitMQ, from the configuration an operator writes, with each client of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nova.conf import load
from nova.context import system_context
from nova.daemon import Surroundings
from nova.errors import Unavailable
from nova.errors.servers import NoValidHost
from nova.objects.host import HostSnapshot
from nova.rpc.client import ClientOptions, make_client
from nova.rpc.contracts.scheduler import Scheduler
from tests.support.hearing import Hearing
from tests.support.rabbitmq import Broker, rabbitmq


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with rabbitmq() as running:
        running.control("add_vhost", "library")
        running.control("set_permissions", "-p", "library", "guest", ".*", ".*", ".*")
        yield running


CLIENTS = {
    "ours": "{url}",
    "the library's": "oslo+{url}library",
    "ours below the library": "oslo+lean{rest}",
    "the library over memory": "oslo+memory:///test_broker",
}


@pytest.mark.parametrize("client", CLIENTS)
def test_calls_errors_and_casts_cross_a_broker(tmp_path: Path, broker: Broker, client: str) -> None:
    url = CLIENTS[client].format(url=broker.url, rest=broker.url.removeprefix("rabbit"))
    file = tmp_path / "nova.conf"
    file.write_text(f"[DEFAULT]\ntransport_url = {url}\n")
    surroundings = Surroundings(load(["--config-file", str(file)]))
    endpoint = Hearing()
    server = surroundings.server(Scheduler, endpoint)
    server.start()
    try:
        made = surroundings.client(Scheduler)
        assert made.any.ping(system_context("req-1")).host == "req-1"
        with pytest.raises(NoValidHost, match="nothing is there"):
            made.any.select(system_context("req-2"), [])
        made.all.hosts_changed(system_context("req-3"), HostSnapshot(position=1))
        assert endpoint.heard.wait(20)
        hasty = make_client(
            Scheduler, surroundings.transport, surroundings.rpc_metrics,
            options=ClientOptions(broker_wait_s=0.5),
        )  # fmt: skip
        with pytest.raises(Unavailable):
            hasty.host("nobody").ping(system_context("req-4"))
    finally:
        server.stop(5)
        surroundings.close()
