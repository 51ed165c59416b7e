#!/usr/bin/env python3
"""Prints the Compute API as an OpenAPI 3.1 document (JSON), as it is at one microversion.

Usage: tools/openapi.py [VERSION]

Without a version it is the newest one.  The document is made from the operations themselves: paths, methods,
schemas of queries and bodies, success codes, policy rules, and the microversions in which each exists.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from nova.api.compute import registry, versions  # noqa: E402
from nova.api.wsgi.editions import Editions  # noqa: E402
from nova.api.wsgi.openapi import document  # noqa: E402
from nova.api.wsgi.version import Version  # noqa: E402
from nova.errors.http import MalformedVersion  # noqa: E402


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("version", nargs="?", default="latest", help="a microversion such as 2.53")
    asked = parser.parse_args(argv).version
    history = versions.history()
    try:
        version = history.newest if asked == "latest" else Version.parse(asked)
    except MalformedVersion as error:
        print(f"tools/openapi.py: {error}", file=sys.stderr)
        return 2
    if not history.oldest <= version <= history.newest:
        print(f"tools/openapi.py: there is nothing but {history.oldest} to {history.newest}", file=sys.stderr)
        return 2
    operations = registry.operations()
    json.dump(document(operations, Editions(operations, history), version), sys.stdout, indent=2)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
