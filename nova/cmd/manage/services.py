"""``nova-manage service``: the daemons that have been seen."""

from __future__ import annotations

import argparse
from typing import Any

from nova.db import services
from nova.db.configured import database


def register(commands: Any) -> None:
    """Add the group to an ``argparse`` set of commands."""
    group = commands.add_parser("service", help="the daemons of the cloud").add_subparsers(required=True)
    parser = group.add_parser("list", help="list daemons with when they were last heard of")
    parser.set_defaults(run=show_all)


def show_all(conf: Any, _args: argparse.Namespace) -> int:
    """Print all services."""
    db = database(conf)
    found = db.read(services.all_services)
    db.close()
    print(f"{'binary':20}  {'host':24}  {'status':8}  last heard of (UTC)")
    for s in found:
        seen = s.seen_at.strftime("%Y-%m-%d %H:%M:%S") if s.seen_at else "never"
        print(f"{s.binary:20}  {s.host:24}  {'disabled' if s.disabled else 'enabled':8}  {seen}")
    return 0
