"""Typed clients and servers over every transport."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from nova.errors import Unavailable
from nova.errors.rpc import InternalError, NoAnswer
from nova.errors.servers import InstanceNotFound
from nova.rpc import payload
from nova.rpc.contract import describe
from nova.rpc.contracts.compute import Compute
from nova.rpc.contracts.conductor import Conductor
from nova.rpc.transport import Address
from tests.contract.rpc.shop import Endpoint, Shop, Tea, asked
from tests.contract.rpc.sites import Ear, Site
from tests.support.eventually import eventually


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_values_errors_and_surprises_cross(site: Site, shop: Shop) -> None:
    with shop.served(site.transport(), Endpoint()):
        client = shop.client(site.transport())
        tea = Tea(name="Assam \N{SNOWMAN}", grams=3, notes=bytes(range(256)))
        assert client.any.look(asked(), tea) == tea
        with pytest.raises(InstanceNotFound) as told:
            client.any.fail(asked(), "foreseen")
        assert told.value.facts == {"id": "i-1"}
        ctx = asked()
        with pytest.raises(InternalError) as surprise:
            client.any.fail(ctx, "surprise")
        assert surprise.value.facts == {"request_id": ctx.request_id}
        assert client.host("one").look(asked(), tea) == tea


def test_casts_and_fanouts_are_done(site: Site, shop: Shop) -> None:
    one, two = Endpoint("one"), Endpoint("two")
    with shop.served(site.transport(), one, "one"), shop.served(site.transport(), two, "two"):
        client = shop.client(site.transport())
        for number in range(10):
            client.any.deliver(asked(), number)
        client.host("two").deliver(asked(), 99)
        client.all.closing(asked(), "soon")
        client.any.closing(asked(), "now")
        eventually(lambda: len(one.delivered) + len(two.delivered) == 11, within_s=20)
        assert sorted(one.delivered + two.delivered) == [*range(10), 99]
        assert 99 in two.delivered
        eventually(lambda: {*one.words} == {*two.words} == {"soon", "now"}, within_s=20)
        with pytest.raises(TypeError):
            client.all.look(asked(), Tea(name="x"))


def test_the_deadline_goes_with_the_call(site: Site, shop: Shop) -> None:
    with shop.served(site.transport(), Endpoint()):
        client = shop.client(site.transport())
        left = client.any.patience(asked(5.0))
        assert left is not None and 0 < left <= 5.0
        whole = client.any.patience(asked())
        assert whole is not None and 5.0 < whole <= 20.0


def test_no_answer_by_the_deadline_is_an_error_of_its_own(site: Site, shop: Shop) -> None:
    endpoint = Endpoint()
    with shop.served(site.transport(), endpoint):
        client = shop.client(site.transport())
        begun = time.monotonic()
        with pytest.raises(NoAnswer):
            client.any.wait(asked(0.5))
        assert time.monotonic() - begun < 15


def test_a_call_whose_caller_has_gone_is_not_done(site: Site, shop: Shop) -> None:
    endpoint = Endpoint()
    with shop.served(site.transport(), endpoint, pool_size=1):
        client = shop.client(site.transport())
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(client.any.wait, asked())
            assert endpoint.waiting.acquire(timeout=20)
            with pytest.raises(NoAnswer):
                client.any.buy(asked(0.3), "tea")
            endpoint.go_on.set()
            assert first.result(20) == "waited at "
        assert client.any.buy(asked(), "cake") == 1
        assert endpoint.bought == {"cake": 1}
        assert shop.count("nova_rpc_expired") == 1


def test_a_server_that_comes_late_is_waited_for(site: Site, shop: Shop) -> None:
    client = shop.client(site.transport())
    with ThreadPoolExecutor(3) as pool:
        call = pool.submit(client.any.look, asked(), Tea(name="late"))
        deed = pool.submit(client.any.buy, asked(), "late")
        cast = pool.submit(client.host("one").deliver, asked(), 1)
        time.sleep(0.3)
        endpoint = Endpoint()
        with shop.served(site.transport(), endpoint):
            assert call.result(20) == Tea(name="late")
            assert deed.result(20) == 1
            cast.result(20)
            eventually(lambda: endpoint.delivered == [1], within_s=20)


def test_a_server_that_never_comes_is_told_within_the_bound(site: Site, shop: Shop) -> None:
    client = shop.client(site.transport(), broker_wait_s=1.0)
    begun = time.monotonic()
    with pytest.raises(Unavailable):
        client.any.look(asked(), Tea(name="x"))
    with pytest.raises(Unavailable):
        client.host("nobody").deliver(asked(), 1)
    assert time.monotonic() - begun < 20


def test_a_lost_answer_is_asked_for_again_where_that_is_harmless(site: Site, shop: Shop) -> None:
    deaf = Ear()
    silent = site.transport().listen(shop.topic, "deaf", deaf)
    client = shop.client(site.transport(), resend_after_s=1.0)
    with ThreadPoolExecutor(2) as pool:
        call = pool.submit(client.any.look, asked(), Tea(name="again"))
        deed = pool.submit(client.any.buy, asked(3.0), "once")
        taken = [payload.decode_request(deaf.next().body).method for _ in range(2)]
        silent.stop()
        endpoint = Endpoint()
        with shop.served(site.transport(), endpoint):
            assert call.result(20) == Tea(name="again")
            with pytest.raises(NoAnswer):
                deed.result(20)
        assert sorted(taken) == ["buy", "look"]
        assert not endpoint.bought


def test_a_call_that_comes_twice_is_done_once_and_answered_twice(site: Site, shop: Shop) -> None:
    endpoint = Endpoint()
    with shop.served(site.transport(), endpoint):
        method = describe(shop.contract).methods["buy"]
        body = payload.encode_request("buy", (1, 0), "call-1", 20.0, asked(), method.arguments("tea"))
        transport, reader = site.transport(), payload.ReplyReader[int](int)
        answers = [reader.read(transport.call(Address(shop.topic), body, 20.0)) for _ in range(3)]
        assert answers == [1, 1, 1]
        assert endpoint.bought == {"tea": 1}
        assert shop.count("nova_rpc_doubles") == 2


def test_large_values_cross(site: Site, shop: Shop) -> None:
    with shop.served(site.transport(), Endpoint()):
        client = shop.client(site.transport())
        tea = Tea(name="large", notes=bytes(range(256)) * 8000)
        assert client.any.look(asked(), tea) == tea


def test_requests_that_wait_do_not_hold_the_pool_of_another_topic(site: Site, shop: Shop) -> None:
    endpoint = Endpoint("one")
    with shop.served(site.transport(), endpoint, pool_size=2) as server:
        client = shop.client(site.transport())
        with ThreadPoolExecutor(6) as pool:
            waits = [pool.submit(client.any.wait, asked()) for _ in range(6)]
            for _ in range(2):
                assert endpoint.waiting.acquire(timeout=20)
            eventually(lambda: server.waiting == 4, within_s=20)
            back: str = client.any.arrived(asked(), "milk")  # type: ignore[attr-defined]
            assert back == "milk arrived"
            endpoint.go_on.set()
            assert [wait.result(20) for wait in waits] == ["waited at one"] * 6


def test_what_waits_for_a_host_has_a_topic_apart_from_what_hosts_report() -> None:
    methods = describe(Conductor).methods
    waits = {methods[name].topic for name in ("console_output", "open_console", "diagnostics")}
    reports = {methods[name].topic for name in ("report", "owed", "heartbeat", "inventory")}
    assert len(waits) == len(reports) == 1 and not waits & reports
    assert describe(Compute).topics() == ("compute",)


def test_a_server_that_stops_finishes_what_it_began_and_loses_nothing(site: Site, shop: Shop) -> None:
    old, new = Endpoint("old"), Endpoint("new")
    new.go_on.set()
    transport = site.transport()
    client = shop.client(site.transport(), resend_after_s=20.0)
    with ThreadPoolExecutor(5) as pool, shop.served(transport, old, "one", pool_size=1) as leaving:
        calls = [pool.submit(client.any.wait, asked()) for _ in range(4)]
        assert old.waiting.acquire(timeout=20)
        eventually(lambda: leaving.waiting == 3, within_s=20)
        stopping = pool.submit(leaving.stop, 20.0)
        with shop.served(site.transport(), new, "two"):
            threading.Timer(0.3, old.go_on.set).start()
            assert stopping.result(30) is True
            answers = sorted(call.result(20) for call in calls)
    assert answers.count("waited at old") >= 1 and len(answers) == 4
