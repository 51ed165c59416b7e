from __future__ import annotations

import os
import socket

import pytest

from nova_tools import ports
from nova_tools.trouble import Trouble

TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2246 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1
   1: 0100007F:2246 0100007F:8000 01 00000000:00000000 00:00000000 00000000     0        0 4712 1
   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1
"""


def test_only_listening_sockets_of_the_port_count() -> None:
    assert ports.listening_inodes(TABLE, 8774) == {"4711"}
    assert ports.listening_inodes(TABLE, 22) == {"4713"}
    assert ports.listening_inodes(TABLE, 80) == set()


def test_a_taken_port_is_reported_with_its_holder() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        assert ports.answers("127.0.0.1", port)
        with pytest.raises(Trouble) as trouble:
            ports.require_free("127.0.0.1", port, "nova-api")
    assert f"Port {port}, wanted for nova-api, is held by" in str(trouble.value)
    assert f"(pid {os.getpid()})" in str(trouble.value)
    assert ports.is_free("127.0.0.1", port)
    ports.require_free("127.0.0.1", port, "nova-api")


def test_a_free_port_is_free() -> None:
    port = ports.free_port()
    assert ports.is_free("127.0.0.1", port)
    assert not ports.answers("127.0.0.1", port)
    assert ports.holder(port) is None
