import threading

import pytest

from nova.api.metadata import lookup as lookup_module
from nova.api.metadata.lookup import Lookup
from nova.api.metadata.rate import Turnstile
from nova.api.metadata.who import Asker
from nova.clock import Clock, StoppedClock
from nova.errors.metadata import NoMetadata, TooManyRequests
from tests.support.eventually import eventually

MINE = Asker(address="10.0.0.5")


def test_an_answer_is_remembered_for_a_while_only(conductor):
    clock = StoppedClock()
    lookup = Lookup(conductor, clock, 3.0)
    for _ in range(10):
        lookup.find(MINE)
    assert len(conductor.asked) == 1
    clock.advance(3.1)
    lookup.find(MINE)
    assert len(conductor.asked) == 2


def test_without_memory_it_is_asked_each_time(conductor):
    lookup = Lookup(conductor, StoppedClock(), 0.0)
    lookup.find(MINE)
    lookup.find(MINE)
    assert len(conductor.asked) == 2


def test_a_stranger_is_remembered_shortly(conductor):
    clock = StoppedClock()
    lookup = Lookup(conductor, clock, 3.0)
    stranger = Asker(address="10.0.0.77")
    for _ in range(5):
        with pytest.raises(NoMetadata):
            lookup.find(stranger)
    assert len(conductor.asked) == 1
    conductor.by_address["10.0.0.77"] = conductor.by_address["10.0.0.5"]
    clock.advance(1.1)
    assert lookup.find(stranger)


def test_many_requests_of_one_guest_ask_once(conductor):
    gate, asking = threading.Event(), threading.Event()
    ask = conductor.metadata_by_address

    def slow(ctx, address):
        asking.set()
        assert gate.wait(10)
        return ask(ctx, address)

    conductor.metadata_by_address = slow
    lookup = Lookup(conductor, Clock(), 30.0)
    found = []
    threads = [threading.Thread(target=lambda: found.append(lookup.find(MINE))) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert asking.wait(10)
    gate.set()
    for thread in threads:
        thread.join(10)
    assert len(found) == 8 and len(conductor.asked) == 1


def test_memory_is_bounded(conductor, monkeypatch):
    monkeypatch.setattr(lookup_module, "MOST_REMEMBERED", 3)
    lookup = Lookup(conductor, StoppedClock(), 30.0)
    for number in range(10):
        with pytest.raises(NoMetadata):
            lookup.find(Asker(address=f"10.1.0.{number}"))
    assert len(lookup._entries) == 3


def test_requests_abreast_are_bounded_for_each_guest():
    turnstile = Turnstile(StoppedClock(), rate=100, burst=100, in_flight=2)
    with turnstile.passing("a"), turnstile.passing("a"):
        with pytest.raises(TooManyRequests), turnstile.passing("a"):
            pass
        with turnstile.passing("b"):
            pass
    with turnstile.passing("a"):
        pass


def test_requests_that_wait_for_a_slow_conductor_do_not_hold_up_others(conductor):
    gate = threading.Event()
    ask = conductor.metadata_by_address

    def slow(ctx, address):
        if address == "10.0.0.5":
            assert gate.wait(10)
        return ask(ctx, address)

    conductor.metadata_by_address = slow
    lookup = Lookup(conductor, Clock(), 30.0)
    waiting = threading.Thread(target=lookup.find, args=(MINE,))
    waiting.start()
    try:
        assert lookup.find(Asker(address="10.0.0.6")).guest.project_id == "other"
    finally:
        gate.set()
        waiting.join(10)
    eventually(lambda: "10.0.0.5" in conductor.asked)
