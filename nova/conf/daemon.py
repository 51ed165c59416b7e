"""What every daemon has: a name, folders, a life."""

from __future__ import annotations

import socket

from oslo_config import cfg

from nova.conf.options import seconds

OPTIONS = [
    cfg.StrOpt(
        "host",
        default=socket.gethostname(),
        sample_default="<this machine's name>",
        help="The name of this host in the cloud; must never change while it has instances.",
    ),
    cfg.StrOpt("my_ip", default="127.0.0.1", help="The address under which other hosts reach this one."),
    cfg.StrOpt("state_path", default="/var/lib/nova", help="Folder for what must outlive a restart."),
    seconds("report_interval", 10.0, "How often a daemon says that it lives", least=0.1),
    seconds("service_down_time", 60.0, "A daemon not heard of for this long counts as down", least=1.0),
    seconds(
        "graceful_shutdown_timeout",
        60.0,
        "How long a daemon that was told to end may finish what it has begun",
    ),
]
