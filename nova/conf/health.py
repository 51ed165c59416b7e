"""The small HTTP listener of every process: /healthz, /readyz, /metrics."""

from __future__ import annotations

from oslo_config import cfg

GROUP = "health"

OPTIONS = [
    cfg.BoolOpt("enabled", default=True, help="Listen at all."),
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
