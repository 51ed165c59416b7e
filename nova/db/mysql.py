"""Connections to MariaDB and MySQL: PyMySQL's, without what costs it most.

All of one database share their TLS contexts.  PyMySQL makes one for every connection, which reads the
machine's certificate authorities: several milliseconds of CPU each, also where the server offers no TLS.

Left to itself the driver waits for ever for the greeting of a server that took a connection and stands still.

A create writes some hundred and fifty values; texts and numbers become literals in one step instead of four.
Rows are taken apart where they arrive, a column's description is read once (:mod:`nova.db.mysql_rows`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar

_SHORT = 50
"""Up to so many characters it pays to look first whether anything is to be escaped."""
_special = re.compile("[\\0\\n\\r\\x1a\"'\\\\]").search


def connector() -> Callable[..., Any]:
    """Return what opens connections as ``pymysql.connect`` does; those with the same settings share one."""
    from pymysql.connections import Connection
    from pymysql.constants.CR import CR_SSL_CONNECTION_ERROR
    from pymysql.constants.SERVER_STATUS import SERVER_STATUS_NO_BACKSLASH_ESCAPES
    from pymysql.err import OperationalError

    from nova.db.mysql_rows import Result

    contexts: dict[str, Any] = {}

    class Sharing(Connection):  # type: ignore[misc]  # the driver brings no types
        """A connection of the driver."""

        columns: ClassVar[dict[bytes, Any]] = {}
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

        def _read_query_result(self, unbuffered: bool = False) -> Any:
            if unbuffered:
                return super()._read_query_result(unbuffered=True)
            self._result = None
            result = Result(self)
            result.read()
            self._result = result
            if result.server_status is not None:
                self.server_status = result.server_status
            return result.affected_rows

        def escape(self, obj: Any, mapping: Any = None) -> Any:
            kind = type(obj)
            if kind is int:
                return str(obj)
            if kind is str and not self.server_status & SERVER_STATUS_NO_BACKSLASH_ESCAPES:
                return f"'{obj}'" if len(obj) <= _SHORT and not _special(obj) else f"'{_escaped(obj)}'"
            return super().escape(obj, mapping)

    return Sharing


def _escaped(text: str) -> str:
    """Escape a text; our long ones are JSON, where the driver's table takes ten times as long."""
    for plain, escaped in _ESCAPES:
        text = text.replace(plain, escaped)
    return text


_ESCAPES = (
    ("\\", "\\\\"), ('"', '\\"'), ("'", "\\'"), ("\n", "\\n"), ("\r", "\\r"), ("\0", "\\0"), ("\x1a", "\\Z"),
)  # fmt: skip
