"""Where the truth is kept.  Only the conductor and nova-manage read these options."""

from __future__ import annotations

from oslo_config import cfg

from nova.conf.options import count, seconds

GROUP = "database"

OPTIONS = [
    cfg.StrOpt(
        "connection",
        default="sqlite:///$state_path/nova.sqlite",
        secret=True,
        help="SQLAlchemy URL: sqlite:///path, mysql+pymysql://..., postgresql+psycopg://...",
    ),
    count("max_pool_size", 32, "Connections that one process keeps open once it needed them.", least=1),
    count("max_overflow", 0, "Connections above max_pool_size that a burst may open; closed after use."),
    seconds("pool_timeout", 30.0, "How long to wait for a free connection"),
]
