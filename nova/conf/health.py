"""The small HTTP listener of every process: /healthz, /readyz, /metrics."""

from __future__ import annotations

from oslo_config import cfg

from nova.conf.options import seconds

GROUP = "health"

OPTIONS = [
    cfg.BoolOpt("enabled", default=True, help="Listen at all."),
    seconds(
        "stuck_after",
        600.0,
        "A loop whose run takes longer than this, and than ten of its intervals, is stuck: /healthz says so "
        "and systemd's watchdog is no longer fed",
        least=1.0,
    ),
    cfg.StrOpt("address", default="127.0.0.1", help="Address to listen on."),
    cfg.DictOpt(
        "ports",
        default={
            "nova-all": "9770",
            "nova-api": "9771",
            "nova-api-metadata": "9772",
            "nova-conductor": "9773",
            "nova-scheduler": "9774",
            "nova-compute": "9775",
            "nova-network": "9776",
            "nova-consoleauth": "9777",
            "nova-novncproxy": "9778",
        },
        help="Port by program. A second process of one program on a host takes any free port (it is logged).",
    ),
]

CLI_OPTIONS = [
    cfg.PortOpt("port", help="Port of this process; 0 takes a free one. Wins over ports."),
]
