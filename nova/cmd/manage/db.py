"""``nova-manage db``: the schema and what is kept."""

from __future__ import annotations

import argparse
import datetime
from typing import Any

from nova.clock import Clock
from nova.cmd.manage import numbers
from nova.db import archive, audit, migrate
from nova.db.configured import opened, prepared_url

BATCH = 500


def register(commands: Any) -> None:
    """Add the group to an ``argparse`` set of commands; each sets ``run(conf, args) -> exit code``."""
    group = commands.add_parser("db", help="the schema and what is kept").add_subparsers(required=True)
    parser = group.add_parser("sync", help="bring the schema to this release; can be run at any time")
    parser.set_defaults(run=sync)
    parser = group.add_parser("version", help="tell which revision the schema has")
    parser.set_defaults(run=version)
    parser = group.add_parser("purge", help="remove instances that were deleted long ago, with their history")
    parser.add_argument(
        "--days", type=numbers.whole(0, 36500), default=90, help="deleted before so many days (default 90)"
    )
    parser.set_defaults(run=purge)
    parser = group.add_parser("check", help="compare the books: quotas, claims, addresses, groups, workflows")
    parser.set_defaults(run=check)


def sync(conf: Any, _args: argparse.Namespace) -> int:
    """Run the missing migrations."""
    url = prepared_url(conf)
    before = migrate.version(url)
    after = migrate.upgrade(url)
    print(f"The schema is at {after}." if before == after else f"The schema went from {before} to {after}.")
    return 0


def version(conf: Any, _args: argparse.Namespace) -> int:
    """Print the revision; 1 when it is not this release's."""
    found = migrate.version(prepared_url(conf))
    print(found or "empty")
    return 0 if found == migrate.head() else 1


def purge(conf: Any, args: argparse.Namespace) -> int:
    """Remove long deleted instances batch by batch, until none is left."""
    before = Clock().now() - datetime.timedelta(days=args.days)
    total: dict[str, int] = {}
    with opened(conf) as db:
        while removed := db.run(lambda tx: archive.purge(tx, before, BATCH)):
            for name, count in removed.items():
                total[name] = total.get(name, 0) + count
    for name, count in sorted(total.items()):
        print(f"{name}: {count}")
    print(f"{total.get('instances', 0)} instances were removed for good.")
    return 0


def check(conf: Any, _args: argparse.Namespace) -> int:
    """Print what does not agree; 1 when anything does not."""
    with opened(conf) as db:
        found = db.read(audit.findings)
    for one in found:
        print(f"{one.rule}: {one.sentence}")
    print(f"{len(found)} findings." if found else "All books agree.")
    return 1 if found else 0
