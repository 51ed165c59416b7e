"""Opening connections to MariaDB and MySQL: all of one database share their TLS contexts.

PyMySQL makes a context for every connection, which reads the machine's certificate authorities: several
milliseconds of CPU each, also where the server offers no TLS in the end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def connector() -> Callable[..., Any]:
    """Return what opens connections as ``pymysql.connect`` does; those with the same settings share one."""
    from pymysql.connections import Connection

    contexts: dict[str, Any] = {}

    class Sharing(Connection):  # type: ignore[misc]  # the driver brings no types
        """A connection whose TLS context may be that of others."""

        def _create_ssl_ctx(self, sslp: Any) -> Any:
            # A driver without this method makes its contexts itself: nothing is lost but time.
            if not isinstance(sslp, dict):
                return super()._create_ssl_ctx(sslp)
            settings = repr(sorted(sslp.items()))
            if settings not in contexts:
                contexts[settings] = super()._create_ssl_ctx(sslp)
            return contexts[settings]

    return Sharing
