"""Reading the options at the start of a program: what cannot be read is told in a sentence."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from oslo_config import cfg

from nova import conf


def load(argv: Sequence[str], *, program: str) -> cfg.ConfigOpts:
    """Return the configuration as :func:`nova.conf.load` does; ends the program (code 2) when it is wrong."""
    try:
        return conf.load(argv, program=program)
    except (cfg.Error, OSError) as error:
        words = " ".join(str(error).split()).rstrip(".")
        print(f"{program}: the options cannot be read: {words}.", file=sys.stderr)
        sys.exit(2)
