"""Opening connections to MariaDB and MySQL: PyMySQL's, without what costs it most.

All of one database share their TLS contexts.  PyMySQL makes one for every connection, which reads the
machine's certificate authorities: several milliseconds of CPU each, also where the server offers no TLS.

Left to itself the driver waits for ever for the greeting of a server that took a connection and stands still.

A create writes some hundred and fifty values; texts and numbers become literals in one step instead of four.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def connector() -> Callable[..., Any]:
    """Return what opens connections as ``pymysql.connect`` does; those with the same settings share one."""
    from pymysql.connections import Connection
    from pymysql.constants.CR import CR_SSL_CONNECTION_ERROR
    from pymysql.constants.SERVER_STATUS import SERVER_STATUS_NO_BACKSLASH_ESCAPES
    from pymysql.converters import escape_string
    from pymysql.err import OperationalError

    contexts: dict[str, Any] = {}

    class Sharing(Connection):  # type: ignore[misc]  # the driver brings no types
        """A connection of the driver."""

        _read_timeout: Any

        def connect(self, sock: Any = None) -> None:
            wished, self._read_timeout = self._read_timeout, self._read_timeout or self.connect_timeout
            try:
                super().connect(sock)
            finally:
                self._read_timeout = wished
            self._sock.settimeout(wished)
            self._current_timeout = wished

        def _create_ssl_ctx(self, sslp: Any) -> Any:
            # A driver without this method makes its contexts itself: nothing is lost but time.
            if not isinstance(sslp, dict):
                return super()._create_ssl_ctx(sslp)
            settings = repr(sorted(sslp.items()))
            if settings not in contexts:
                try:
                    contexts[settings] = super()._create_ssl_ctx(sslp)
                except OSError as error:  # which does not say of which file
                    files = ", ".join(
                        str(sslp[name]) for name in ("ca", "capath", "cert", "key") if sslp.get(name)
                    )
                    raise OperationalError(CR_SSL_CONNECTION_ERROR, f"TLS with {files}: {error}") from error
            return contexts[settings]

        def escape(self, obj: Any, mapping: Any = None) -> Any:
            kind = type(obj)
            if kind is int:
                return str(obj)
            if kind is str and not self.server_status & SERVER_STATUS_NO_BACKSLASH_ESCAPES:
                return f"'{escape_string(obj)}'"
            return super().escape(obj, mapping)

    return Sharing
