"""Serves Keystone's or Glance's WSGI application with waitress; run by the Python of their environment.

Usage: python wsgi_app.py keystone|glance ADDRESS PORT
"""

from __future__ import annotations

import importlib
import sys
from typing import Any


def main() -> None:
    """Serve until killed; both keep their state in SQLite, which a sudden end does not hurt."""
    name, address, port = sys.argv[1:]
    del sys.argv[1:]  # Keystone would take them for its own options
    application: Any = importlib.import_module(f"{name}.wsgi.api").application
    waitress: Any = importlib.import_module("waitress")
    waitress.serve(
        application,
        host=address,
        port=int(port),
        threads=6,
        max_request_body_size=1 << 40,
        # An image being stored makes a client wait longer than the usual two minutes.
        channel_timeout=600,
        ident=name,
    )


if __name__ == "__main__":
    main()
