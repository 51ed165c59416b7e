"""Options of policy (``[oslo_policy]``, the group every OpenStack service uses)."""

from __future__ import annotations

import msgspec
from oslo_config import cfg

GROUP = "oslo_policy"

OPTIONS: tuple[cfg.Opt, ...] = (
    cfg.StrOpt("policy_file", default="", help="File that overrides the defaults in code (YAML)."),
    cfg.ListOpt("policy_dirs", default=[], help="Folders of further policy files."),
    cfg.BoolOpt(
        "enforce_new_defaults",
        default=True,
        help="Use the reader, member and manager roles alone; false also lets the older defaults pass.",
    ),
    cfg.FloatOpt("reload_seconds", default=10.0, min=0.0, help="How often to look whether the file changed."),
)


class PolicyConf(msgspec.Struct, frozen=True, kw_only=True):
    """What the policy enforcer wants to know."""

    policy_file: str = ""
    policy_dirs: tuple[str, ...] = ()
    enforce_new_defaults: bool = True
    reload_seconds: float = 10.0


def register(conf: cfg.ConfigOpts) -> None:
    """Make the options known to a configuration object."""
    conf.register_opts(OPTIONS, group=GROUP)


def read(conf: cfg.ConfigOpts) -> PolicyConf:
    """Return the options as one frozen value."""
    group = conf[GROUP]
    found = group.policy_file
    path = (conf.find_file(found) or found) if found else (conf.find_file("policy.yaml") or "")
    return PolicyConf(
        policy_file=path,
        policy_dirs=tuple(group.policy_dirs),
        enforce_new_defaults=group.enforce_new_defaults,
        reload_seconds=group.reload_seconds,
    )
