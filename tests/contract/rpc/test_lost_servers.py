"""A server that goes away with requests at work: what may be done twice is another one's at once."""

from __future__ import annotations

import concurrent.futures

import pytest

from nova.errors.rpc import NoAnswer
from tests.contract.rpc.shop import Endpoint, Shop, asked
from tests.contract.rpc.sites import Site


def test_a_call_at_work_goes_to_another_server_when_its_own_is_gone(rabbit_site: Site) -> None:
    shop, first, second = Shop(), Endpoint("one"), Endpoint("two")
    second.go_on.set()
    dying = rabbit_site.transport()
    client = shop.client(rabbit_site.transport(), resend_after_s=1000.0)
    with concurrent.futures.ThreadPoolExecutor(1) as pool, shop.served(dying, first, "one"):
        answer = pool.submit(client.any.wait, asked())
        assert first.waiting.acquire(timeout=20), "the call is at work"
        with shop.served(rabbit_site.transport(), second, "two"):
            dying.close()
            assert answer.result(60) == "waited at two"


def test_a_call_that_may_be_done_once_only_is_no_other_servers(rabbit_site: Site) -> None:
    shop, first, second = Shop(), Endpoint("one"), Endpoint("two")
    dying = rabbit_site.transport()
    client = shop.client(rabbit_site.transport())
    with concurrent.futures.ThreadPoolExecutor(1) as pool, shop.served(dying, first, "one"):
        answer = pool.submit(client.any.order, asked(8.0))
        assert first.waiting.acquire(timeout=20), "the call is at work"
        with shop.served(rabbit_site.transport(), second, "two"):
            dying.close()
            with pytest.raises(NoAnswer):
                answer.result(60)
            assert not second.waiting.acquire(blocking=False)
