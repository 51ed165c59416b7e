"""Console proxies and tokens."""

from __future__ import annotations

from oslo_config import cfg

from nova.conf.options import seconds

_VNC = [
    cfg.StrOpt("novncproxy_host", default="0.0.0.0", help="Address nova-novncproxy listens on."),
    cfg.PortOpt("novncproxy_port", default=6080, help="Port nova-novncproxy listens on."),
    cfg.StrOpt(
        "novncproxy_base_url",
        default="http://127.0.0.1:6080/vnc_lite.html",
        help="The page that console links lead to.",
    ),
    cfg.StrOpt("web", default="/usr/share/novnc", help="Folder of the noVNC pages; empty serves none."),
    cfg.ListOpt(
        "allowed_origins",
        default=[],
        help="Host names from whose pages consoles may be opened, besides the proxy's own.",
    ),
]
_TOKENS = [seconds("token_ttl", 600.0, "How long a console link may be used", least=1.0)]


def register(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(_VNC, group="vnc")
    conf.register_opts(_TOKENS, group="consoleauth")
