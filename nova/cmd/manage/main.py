"""nova-manage: what an operator does beside the API.  Works on the database directly."""

from __future__ import annotations

import argparse
import logging
import sys

from nova import log
from nova.cmd.manage import db, doctor, networks, services, workflows
from nova.cmd.options import load
from nova.cmd.sentences import sentence

PROGRAM = "nova-manage"


def main(argv: list[str] | None = None) -> int:
    """Run one command; 0 on success, 1 when it found or met trouble, 2 for wrong usage."""
    parser = argparse.ArgumentParser(prog=PROGRAM, description=__doc__)
    parser.add_argument("--config-file", action="append", default=[], help="may be given several times")
    parser.add_argument("--config-dir", action="append", default=[])
    commands = parser.add_subparsers(required=True, metavar="GROUP")
    for group in (db, doctor, networks, services, workflows):
        group.register(commands)
    args = parser.parse_args(argv)
    options = [f"--config-file={name}" for name in args.config_file]
    options += [f"--config-dir={name}" for name in args.config_dir]
    conf = load(options, program=PROGRAM)
    log.setup(conf, PROGRAM)
    if not conf.debug:
        # What could not be reached is told in one sentence, not by each try.
        logging.getLogger("nova.rpc").setLevel(logging.ERROR)
    try:
        code: int = args.run(conf, args)
    except Exception as error:
        if (told := sentence(error)) is None:
            raise
        print(f"{PROGRAM}: {told}", file=sys.stderr)
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())
