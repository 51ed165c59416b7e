"""nova-api-metadata: tells guests about themselves."""

from __future__ import annotations

import sys

from nova import log, process
from nova.api.metadata.daemon import NAME, make_daemon
from nova.cmd.options import load, understood
from nova.daemon import Surroundings


def main() -> int:
    """Run until told to end."""
    conf = load(sys.argv[1:], program=NAME)
    log.setup(conf, NAME)
    with understood(NAME):
        surroundings = Surroundings(conf)
        built = make_daemon(surroundings)
    return process.run(NAME, conf, [built], surroundings.registry)


if __name__ == "__main__":
    sys.exit(main())
