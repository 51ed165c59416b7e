"""nova-all: a whole cloud in one process."""

from __future__ import annotations

import sys

from nova import log, process
from nova.cmd.options import load, understood
from nova.daemon import Surroundings
from nova.embedded import Cloud

PROGRAM = "nova-all"


def main() -> int:
    """Run until told to end."""
    conf = load(sys.argv[1:], program=PROGRAM)
    log.setup(conf, PROGRAM)
    with understood(PROGRAM):
        surroundings = Surroundings(conf)
        cloud = Cloud(surroundings, tuple(conf.all.daemons))
    return process.run(PROGRAM, conf, cloud.daemons, surroundings.registry)


if __name__ == "__main__":
    sys.exit(main())
