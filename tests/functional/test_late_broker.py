"""A broker that comes after the daemons: what had started before it goes on working when it is there."""

from __future__ import annotations

import collections
import pathlib
from collections.abc import Callable

from nova.rpc.transport import Address, Incoming, Listener, Transport, Unreachable
from tests.support.cloud import running_cloud

ATTEMPTS = 2


class Late:
    """A transport on which nobody can listen at first."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self.tried: collections.Counter[tuple[str, str]] = collections.Counter()

    def call(self, to: Address, body: bytes, timeout_s: float) -> bytes:
        return self._inner.call(to, body, timeout_s)

    def cast(self, to: Address, body: bytes) -> None:
        self._inner.cast(to, body)

    def listen(self, topic: str, server: str, receive: Callable[[Incoming], None]) -> Listener:
        self.tried[topic, server] += 1
        if self.tried[topic, server] <= ATTEMPTS:
            raise Unreachable("connection refused")
        return self._inner.listen(topic, server, receive)

    def close(self) -> None:
        self._inner.close()


def test_daemons_that_were_there_before_their_broker_do_all_their_work(tmp_path: pathlib.Path) -> None:
    found: list[Late] = []

    def late(inner: Transport) -> Transport:
        found.append(Late(inner))
        return found[0]

    with running_cloud(tmp_path, around=late) as cloud:
        assert {topic for topic, _ in found[0].tried} >= {"conductor", "scheduler", "compute", "network"}
        server = cloud.demo.boot(cloud.image)
        cloud.demo.wait(server, "ACTIVE")
        assert cloud.demo.act(server, "os-stop").status == 202
        cloud.demo.wait(server, "SHUTOFF")
        assert cloud.demo.ask("DELETE", f"/servers/{server}").status == 204
        cloud.demo.wait_gone(server)
