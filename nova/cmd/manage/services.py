"""``nova-manage service``: the daemons that have been seen."""

from __future__ import annotations

import argparse
from typing import Any

from nova.cmd.manage import shown
from nova.db import services
from nova.db.configured import opened


def register(commands: Any) -> None:
    """Add the group to an ``argparse`` set of commands."""
    group = commands.add_parser("service", help="the daemons of the cloud").add_subparsers(required=True)
    parser = group.add_parser("list", help="list daemons with when they were last heard of")
    shown.add_json(parser)
    parser.set_defaults(run=show_all)


def show_all(conf: Any, args: argparse.Namespace) -> int:
    """Print all services."""
    with opened(conf) as db:
        found = db.read(services.all_services)
    rows = [
        {
            "binary": s.binary,
            "host": s.host,
            "zone": s.zone,
            "status": "disabled" if s.disabled else "enabled",
            "reason": s.disabled_reason,
            "forced_down": s.forced_down,
            "last_heard_of": s.seen_at,
        }
        for s in found
    ]
    shown.show(args, ("binary", "host", "zone", "status", "forced_down", "last_heard_of"), rows)
    return 0
