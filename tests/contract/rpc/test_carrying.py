"""What every transport promises: who gets a message and its answer, and what happens when nobody is there."""

from __future__ import annotations

import threading
import time

import pytest

from nova.rpc.transport import Address, ReplyTimeout, TransportError, Unreachable
from tests.contract.rpc.sites import Ear, Site, answered, echo, handed_over, listening, new_topic
from tests.support.eventually import eventually


def test_a_call_brings_back_the_answer_whatever_bytes_it_has(site: Site) -> None:
    topic, every_byte = new_topic(), bytes(range(256))
    ear = listening(site.transport(), topic, "one")

    assert site.transport().call(Address(topic), every_byte, 20.0) == b"heard " + every_byte
    assert ear.next().expects_reply
    assert site.transport().call(Address(topic), b"", 20.0) == b"heard "


def test_a_cast_comes_once_and_wants_no_answer(site: Site) -> None:
    topic = new_topic()
    ear = listening(site.transport(), topic, "one")
    client = site.transport()

    client.cast(Address(topic), b"first")
    client.cast(Address(topic), b"second")

    first = ear.next()
    assert (first.body, first.expects_reply) == (b"first", False)
    first.reply(b"nobody asked")
    assert ear.bodies(1) == [b"second"]
    assert client.call(Address(topic), b"end", 20.0) == b"heard end"
    assert ear.bodies(1) == [b"end"] and ear.silent


def test_a_named_server_alone_gets_what_is_for_it(site: Site) -> None:
    topic = new_topic()
    one, two = listening(site.transport(), topic, "one"), listening(site.transport(), topic, "two")
    client = site.transport()

    for number in range(6):
        client.cast(Address(topic, "two"), str(number).encode())
    assert client.call(Address(topic, "two"), b"end", 20.0) == b"heard end"

    assert two.bodies(7) == [b"0", b"1", b"2", b"3", b"4", b"5", b"end"]
    assert one.silent


def test_servers_of_a_topic_take_turns_and_nothing_comes_twice(site: Site) -> None:
    topic = new_topic()
    heard: list[tuple[str, bytes]] = []
    for name in ("one", "two", "three"):
        site.transport().listen(topic, name, lambda i, name=name: heard.append((name, i.body)))  # type: ignore[misc]
    client = site.transport()

    for number in range(30):
        client.cast(Address(topic), str(number).encode())

    eventually(lambda: len(heard) >= 30, within_s=20, what="30 casts")
    assert sorted(int(body) for _, body in heard) == list(range(30))
    shares = [sum(1 for name, _ in heard if name == who) for who in ("one", "two", "three")]
    assert min(shares) >= 5, shares


def test_a_fanout_reaches_all_that_listen_now(site: Site) -> None:
    topic = new_topic()
    client = site.transport()
    client.cast(Address(topic, fanout=True), b"to nobody")
    ears = [listening(site.transport(), topic, name) for name in ("one", "two")]

    client.cast(Address(topic, fanout=True), b"to both")

    assert [ear.bodies(1) for ear in ears] == [[b"to both"], [b"to both"]]
    late = listening(site.transport(), topic, "late")
    client.cast(Address(topic, fanout=True), b"to three")
    assert late.bodies(1) == [b"to three"]


def test_no_answer_in_time_is_said_in_time_and_a_late_one_is_dropped(site: Site) -> None:
    topic = new_topic()
    ear = Ear()
    site.transport().listen(topic, "one", ear)
    client = site.transport()

    begun = time.monotonic()
    with pytest.raises(ReplyTimeout):
        client.call(Address(topic), b"slow", 0.5)
    assert 0.4 < time.monotonic() - begun < 10

    ear.next().reply(b"too late")
    threading.Thread(target=lambda: ear.next().reply(b"in time"), daemon=True).start()
    assert client.call(Address(topic), b"next", 20.0) == b"in time"


def test_a_topic_that_nobody_ever_served_is_unreachable(site: Site) -> None:
    client = site.transport()
    begun = time.monotonic()
    with pytest.raises(Unreachable):
        client.call(Address(new_topic()), b"anyone?", 30.0)
    with pytest.raises(Unreachable):
        client.cast(Address(new_topic()), b"anyone?")
    topic = new_topic()
    listening(site.transport(), topic, "one")
    with pytest.raises(Unreachable):
        client.cast(Address(topic, "two"), b"are you there?")
    assert time.monotonic() - begun < 25
    assert client.call(Address(topic), b"one?", 20.0) == b"heard one?"


def test_what_is_sent_while_a_server_is_away_waits_for_it(site: Site) -> None:
    topic = new_topic()
    before = Ear()
    listener = site.transport().listen(topic, "one", before)
    client = site.transport()
    listener.stop()

    client.cast(Address(topic), b"to any")
    client.cast(Address(topic, "one"), b"to one")
    with pytest.raises(ReplyTimeout):
        client.call(Address(topic, "one"), b"a question", 0.3)

    after = listening(site.transport(), topic, "one")
    found = {after.next().body, after.next().body}
    # The question may come too: its caller has gone, and servers see to that themselves.
    assert {b"to any", b"to one"} <= found | {after.next().body if b"a question" in found else b"to one"}
    assert before.silent


def test_a_stopped_listener_hears_nothing_more(site: Site) -> None:
    topic = new_topic()
    ear, after = Ear(), Ear()
    listener = site.transport().listen(topic, "one", ear)
    client = site.transport()
    client.cast(Address(topic), b"before")
    assert ear.bodies(1) == [b"before"]

    listener.stop()
    client.cast(Address(topic), b"after")
    client.cast(Address(topic, fanout=True), b"to all")
    site.transport().listen(topic, "two", after)

    assert after.bodies(1) == [b"after"]
    assert ear.silent
    listener.stop()


@pytest.mark.parametrize("size", [1_000_000, 10_000_000])
def test_large_messages_cross(site: Site, size: int) -> None:
    topic = new_topic()
    body = bytes(range(251)) * (size // 251)
    ear = listening(site.transport(), topic, "one", lambda body: body[::-1])

    assert site.transport().call(Address(topic), body, 120.0) == body[::-1]
    assert ear.next().body == body


def test_what_one_thread_sends_to_one_server_stays_in_order(site: Site) -> None:
    topic = new_topic()
    ear = Ear()
    site.transport().listen(topic, "one", ear)
    client = site.transport()
    sent = [str(number).encode() for number in range(200)]

    for body in sent:
        client.cast(Address(topic, "one"), body)

    assert ear.bodies(200) == sent


def test_a_second_answer_is_dropped(site: Site) -> None:
    topic = new_topic()
    ear = Ear()
    site.transport().listen(topic, "one", ear)
    client = site.transport()

    def twice() -> None:
        incoming = ear.next()
        incoming.reply(b"first")
        incoming.reply(b"second")

    for _ in range(3):
        thread = threading.Thread(target=twice, daemon=True)
        thread.start()
        assert client.call(Address(topic), b"?", 20.0) == b"first"
        thread.join(20)
        assert not thread.is_alive()


def test_callers_get_their_own_answers(site: Site) -> None:
    topic = new_topic()
    for name in ("one", "two"):
        listening(site.transport(), topic, name)
    client = site.transport()
    wrong: list[str] = []

    def ask(who: int) -> None:
        for number in range(15):
            body = f"{who}.{number}".encode()
            if client.call(Address(topic), body, 60.0) != echo(body):
                wrong.append(f"{who}.{number}")

    threads = [threading.Thread(target=ask, args=(who,), daemon=True) for who in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert not wrong and not any(thread.is_alive() for thread in threads)


def test_what_is_handed_back_goes_to_another_server(site: Site) -> None:
    topic = new_topic()
    first = Ear(begins=False)
    listener = site.transport().listen(topic, "one", first)
    client = site.transport()
    client.cast(Address(topic), b"not begun")
    incoming = first.next()
    listener.stop()

    given = incoming.hand_back()

    second = Ear()
    site.transport().listen(topic, "two", second)
    client.cast(Address(topic), b"next")
    if given:
        assert sorted(second.bodies(2)) == [b"next", b"not begun"]
    else:
        # It is the first server's for good, and is still whole.
        assert incoming.body == b"not begun"
        assert second.bodies(1) == [b"next"]


def test_closing_ends_calls_in_flight_and_refuses_new_ones(site: Site) -> None:
    topic = new_topic()
    ear = Ear()
    site.transport().listen(topic, "one", ear)
    client = site.transport()
    ended = threading.Event()

    def ask() -> None:
        try:
            client.call(Address(topic), b"never answered", 15.0)
        except TransportError:
            ended.set()

    threading.Thread(target=ask, daemon=True).start()
    assert ear.next().body == b"never answered"
    client.close()

    assert ended.wait(25)
    with pytest.raises(TransportError):
        client.call(Address(topic), b"too late", 1.0)
    with pytest.raises(TransportError):
        client.cast(Address(topic), b"too late")
    client.close()
    other = site.transport()
    handed_over(other, Address(topic), b"others go on")
    assert ear.next().body == b"others go on"


def test_two_listeners_of_one_transport_are_two_servers(site: Site) -> None:
    transport, topic = site.transport(), new_topic()
    other = new_topic()
    one, two = listening(transport, topic, "one"), listening(transport, other, "one")

    assert answered(transport, Address(topic), b"a") == b"heard a"
    assert answered(transport, Address(other), b"b") == b"heard b"
    assert one.next().body == b"a" and two.next().body == b"b"
