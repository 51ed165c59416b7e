"""Messages between daemons."""

from __future__ import annotations

from oslo_config import cfg

from nova.conf.options import count, seconds, size

GROUP = "rpc"


def _as_it_was(name: str) -> dict[str, str]:
    """Say where the message library has an option that is ours, too."""
    return {"deprecated_name": name, "deprecated_group": "oslo_messaging_rabbit"}


OPTIONS = [
    cfg.DictOpt(
        "pools",
        default={},
        help="Workers of single topics, as topic:number; the others have pool_size.",
    ),
    count("pool_size", 16, "Workers of a topic in one daemon: how many requests it does at once.", least=1),
    seconds(
        "broker_wait",
        30.0,
        "How long a request tries to reach a message broker that is away before its caller is told so",
    ),
    seconds(
        "resend_after",
        3.0,
        "An idempotent request without an answer is sent again after this, then after twice as long",
        least=0.1,
    ),
    size("max_message", 64 * 1024 * 1024, "Larger messages are set aside unread"),
    cfg.BoolOpt(
        "quorum_queues",
        default=True,
        help="Use replicated, durable queues on RabbitMQ. All daemons of a cloud must agree; to change "
        "it, use another virtual host.",
    ),
    seconds("heartbeat", 30.0, "A broker connection that is silent for this long is given up", least=2.0),
    cfg.StrOpt(
        "ssl_ca_file",
        help="Certificates that may sign the broker's, for rabbit:// with TLS.",
        **_as_it_was("ssl_ca_file"),
    ),
    cfg.StrOpt(
        "ssl_cert_file",
        help="Our own certificate, if the broker asks for one.",
        **_as_it_was("ssl_cert_file"),
    ),
    cfg.StrOpt("ssl_key_file", help="The key of ssl_cert_file.", **_as_it_was("ssl_key_file")),
    cfg.BoolOpt(
        "ssl",
        default=False,
        help="Speak TLS to the broker. ?ssl=1 at the end of transport_url does so too.",
        **_as_it_was("ssl"),
    ),
]

_DEFAULT = [
    cfg.StrOpt(
        "transport_url",
        default="memory:///nova",
        secret=True,
        help="Who carries messages between daemons: memory:///<name> inside one process, or "
        "rabbit://user:password@host:port[,user:password@host:port]/virtual-host.",
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(_DEFAULT)
    conf.register_opts(OPTIONS, group=GROUP)
