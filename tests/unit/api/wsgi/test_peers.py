"""Connections of single peers."""

from __future__ import annotations

from nova.api.wsgi.peers import Peers


def test_a_peer_may_hold_so_many_and_others_are_not_concerned() -> None:
    peers = Peers(2, lambda peer: peer == "proxy")
    assert [peers.enter("a") for _ in range(3)] == [True, True, False]
    assert peers.enter("b")
    assert all(peers.enter("proxy") for _ in range(10))
    peers.leave("a")
    assert [peers.enter("a"), peers.enter("a")] == [True, False]
    assert peers.is_too_many("c", 2) and not peers.is_too_many("c", 1)
