"""Limits of projects that have none of their own; -1 = unlimited."""

from __future__ import annotations

from oslo_config import cfg

GROUP = "quota"

DEFAULTS = {
    "instances": 10,
    "cores": 20,
    "ram": 51200,
    "floating_ips": 10,
    "fixed_ips": -1,
    "metadata_items": 128,
    "injected_files": 5,
    "injected_file_content_bytes": 10240,
    "injected_file_path_bytes": 255,
    "security_groups": 10,
    "security_group_rules": 20,
    "key_pairs": 100,
    "server_groups": 10,
    "server_group_members": 10,
}
"""Resource (the API's name) to its usual limit."""

OPTIONS = [
    cfg.IntOpt(name, default=limit, min=-1, help=f"Limit of {name.replace('_', ' ')} of one project.")
    for name, limit in DEFAULTS.items()
]
