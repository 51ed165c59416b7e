"""nova-conductor: keeps the truth and runs the workflows."""

from __future__ import annotations

import sys

from nova import log, process
from nova.cmd.options import load, understood
from nova.conductor.daemon import make_daemon
from nova.daemon import Surroundings

PROGRAM = "nova-conductor"


def main() -> int:
    """Run until told to end."""
    conf = load(sys.argv[1:], program=PROGRAM)
    log.setup(conf, PROGRAM)
    with understood(PROGRAM):
        surroundings = Surroundings(conf)
        built = make_daemon(surroundings)
    return process.run(PROGRAM, conf, [built], surroundings.registry)


if __name__ == "__main__":
    sys.exit(main())
