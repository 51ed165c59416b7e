"""Options of the Compute API."""

from __future__ import annotations

import msgspec
from oslo_config import cfg

from nova.conf import bodies

GROUP = "api"

OPTIONS: tuple[cfg.Opt, ...] = (
    cfg.StrOpt("auth_strategy", default="keystone", choices=["keystone", "noauth2", "static"],
               help="How callers prove who they are."),
    cfg.IntOpt("max_limit", default=1000, min=1, help="Longest page of any list."),
    cfg.StrOpt("compute_link_prefix", default="", help="Takes the place of scheme and host in links."),
    cfg.StrOpt("glance_link_prefix", default="", help="Start of image bookmarks."),
    cfg.StrOpt("project_id_regex", default="[0-9a-f-]+", help="What a project id in a path looks like."),
    cfg.BoolOpt("enable_instance_password", default=True,
                help="Show the password of a new server in the answer to its create request."),
    cfg.BoolOpt("enable_proxy_headers_parsing", default=False,
                help="Believe X-Forwarded-Proto and X-Forwarded-Host of a proxy in front."),
)  # fmt: skip


class ApiConf(msgspec.Struct, frozen=True, kw_only=True):
    """What the Compute API wants to know; the defaults are those of the options."""

    auth_strategy: str = "keystone"
    max_limit: int = 1000
    compute_link_prefix: str = ""
    glance_link_prefix: str = ""
    project_id_regex: str = "[0-9a-f-]+"
    enable_proxy_headers_parsing: bool = False
    enable_instance_password: bool = True
    max_request_body_size: int = 114688


def register(conf: cfg.ConfigOpts) -> None:
    """Make the options known to a configuration object."""
    conf.register_opts(OPTIONS, group=GROUP)


def read(conf: cfg.ConfigOpts) -> ApiConf:
    """Return the API's options as one frozen value."""
    group = conf[GROUP]
    return ApiConf(
        auth_strategy=group.auth_strategy,
        max_limit=group.max_limit,
        compute_link_prefix=group.compute_link_prefix,
        glance_link_prefix=group.glance_link_prefix,
        project_id_regex=group.project_id_regex,
        enable_proxy_headers_parsing=group.enable_proxy_headers_parsing,
        enable_instance_password=group.enable_instance_password,
        max_request_body_size=conf[bodies.GROUP].max_request_body_size,
    )
