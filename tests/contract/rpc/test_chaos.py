"""Messages are lost, doubled, late, out of order: calls are answered right or end with the right error."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from nova.errors import Unavailable
from nova.errors.rpc import NoAnswer
from nova.rpc.chaos import ChaosTransport, read_faults
from tests.contract.rpc.shop import Endpoint, Shop, Tea, asked
from tests.contract.rpc.sites import Site
from tests.support.eventually import eventually

STORMS = {
    "lossy": "seed=3&lose=0.15",
    "doubling": "seed=5&double=0.5",
    "late": "seed=7&delay=0.6&delay_s=0.2",
    "all": "seed=11&lose=0.08&double=0.3&delay=0.4&delay_s=0.1&reorder=0.3",
}


@pytest.mark.parametrize("storm", STORMS)
def test_calls_are_answered_right_or_end_with_the_right_error(site: Site, storm: str) -> None:
    shop, endpoint = Shop(), Endpoint()
    with shop.served(site.transport(STORMS[storm]), endpoint):
        client = shop.client(site.transport(STORMS[storm]), resend_after_s=0.4)

        def look(number: int) -> str:
            tea = Tea(name=f"tea {number}")
            assert client.any.look(asked(), tea) == tea
            return "right"

        def buy(number: int) -> str:
            try:
                # Whatever is doubled on the way: a deed is done once.
                assert client.any.buy(asked(2.0), f"item {number}") == 1
            except (NoAnswer, Unavailable):
                return "not known"
            return "right"

        with ThreadPoolExecutor(12) as pool:
            looks, buys = pool.map(look, range(60)), pool.map(buy, range(40))
            assert [*looks] == ["right"] * 60
            said = [*buys]
        assert max(endpoint.bought.values()) == 1
        assert len(endpoint.bought) >= said.count("right") > 0
        if "lose" not in STORMS[storm]:
            assert said == ["right"] * 40


def test_casts_suffer_what_was_asked_for(site: Site) -> None:
    shop, endpoint = Shop(), Endpoint()
    with shop.served(site.transport(), endpoint, pool_size=1):
        stormy = site.transport("seed=2&lose=0.2&double=0.3&reorder=0.3")
        assert isinstance(stormy, ChaosTransport)
        client = shop.client(stormy)
        for number in range(100):
            client.any.deliver(asked(), number)
        stormy.flush()
        shop.client(site.transport()).any.deliver(asked(), 1000)
        eventually(lambda: 1000 in endpoint.delivered, within_s=30)
        heard = [number for number in endpoint.delivered if number != 1000]
    assert len(set(heard)) < 100, "some are lost"
    assert len(heard) > len(set(heard)), "some come twice"
    assert heard != sorted(heard), "some change places"


def test_faults_are_read_from_the_address_of_any_transport() -> None:
    faults, inner = read_faults("rabbit://u:p@h:5672/v?lose=0.5&ssl=1&seed=4")
    assert (faults.lose, faults.seed, inner) == (0.5, 4, "rabbit://u:p@h:5672/v?ssl=1")
    with pytest.raises(ValueError, match="chaos transport"):
        read_faults("memory:///x?lose=often")
