"""The message library on a daemon's whole configuration."""

from __future__ import annotations

from pathlib import Path

from nova import conf as nova_conf
from nova.rpc.broker import BrokerTransport, own_configuration
from nova.rpc.transport import make_transport

URL = "oslo+rabbit://user:password@127.0.0.1:1/vhost"


def test_a_transport_over_a_broker_is_made_of_a_daemons_configuration(tmp_path: Path) -> None:
    file = tmp_path / "nova.conf"
    file.write_text(f"[DEFAULT]\ntransport_url = {URL}\n")
    conf = nova_conf.load(files=[str(file)])

    transport = make_transport(conf)

    assert isinstance(transport, BrokerTransport)
    transport.close()


def test_our_options_reach_the_library_and_its_own_are_read_from_our_files(tmp_path: Path) -> None:
    file = tmp_path / "nova.conf"
    file.write_text(
        "[rpc]\nquorum_queues = false\nheartbeat = 12\n"
        "[oslo_messaging_rabbit]\nrabbit_qos_prefetch_count = 7\n"
    )

    made = own_configuration(nova_conf.load(files=[str(file)]))

    assert made.oslo_messaging_rabbit.rabbit_quorum_queue is False
    assert made.oslo_messaging_rabbit.heartbeat_timeout_threshold == 12
    assert made.oslo_messaging_rabbit.rabbit_qos_prefetch_count == 7
