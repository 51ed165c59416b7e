"""nova-all: which daemons live in the one process."""

from __future__ import annotations

from oslo_config import cfg

GROUP = "all"

OPTIONS = [
    cfg.ListOpt(
        "daemons",
        default=[
            "nova-conductor",
            "nova-scheduler",
            "nova-network",
            "nova-compute",
            "nova-consoleauth",
            "nova-api",
            "nova-api-metadata",
            "nova-novncproxy",
        ],
        help="Daemons that nova-all runs.",
    )
]
