"""TLS to the broker: both directions at once, a broker nobody vouches for, and several of which one lives."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nova.rpc.transport import Address, Unreachable
from nova_tools.ports import free_port
from tests.contract.rpc.sites import Site, echo, listening, new_topic
from tests.support.certificates import Authority
from tests.support.rabbitmq import Broker
from tests.support.tls_front import tls_front


@pytest.mark.parametrize("scheme", ["rabbit", "oslo+lean"])
def test_calls_cross_tls_and_a_dead_broker_is_passed_over(
    broker: Broker, tmp_path: Path, scheme: str
) -> None:
    authority = Authority(tmp_path)
    with tls_front(authority.sign(), broker.port) as port:
        dead = free_port()
        url = f"{scheme}://guest:guest@127.0.0.1:{dead},guest:guest@127.0.0.1:{port}/"
        site = Site(url, {"ssl": True, "ssl_ca_file": str(authority.file)})
        topic, client = new_topic(), site.transport()
        listening(site.transport(), topic, "one")
        bodies = [bytes([number]) * (50_000 * (number % 3) + 10) for number in range(60)]
        with ThreadPoolExecutor(8) as pool:
            answers = pool.map(lambda body: client.call(Address(topic), body, 60.0), bodies)
            assert [*answers] == [echo(body) for body in bodies]
        site.close()


def test_a_broker_that_nobody_vouches_for_is_not_spoken_to(broker: Broker, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with tls_front(authority.sign(), broker.port) as port:
        site = Site(f"rabbit://guest:guest@127.0.0.1:{port}/?ssl=1")
        with pytest.raises(Unreachable, match="certificate verify failed"):
            site.transport().cast(Address("x"), b"secret")
        site.close()
