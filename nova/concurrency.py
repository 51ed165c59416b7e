"""The one door to green threads.

``NOVA_CONCURRENCY`` chooses how every daemon of this process runs: ``eventlet`` (the default) or
``threading``.  :func:`start` must run before any other import of a program (``nova/cmd/__init__.py`` does
it); afterwards the rest of the tree uses the standard library's ``threading``, ``queue``, ``socket`` and
``time`` and needs to know nothing: under eventlet those names are green.

The only question left to callers is "will this C call block without letting go?" (libvirt, hashing, image
copies).  They wrap it in :func:`in_native_thread`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

EVENTLET = "eventlet"
THREADING = "threading"

_started: str | None = None


def start(mode: str | None = None) -> str:
    """Choose the mode (argument, else ``NOVA_CONCURRENCY``, else eventlet) and patch if it asks for it.

    Idempotent.  Raises ``ValueError`` for an unknown mode.  Returns the mode in force.
    """
    global _started
    if _started is not None:
        return _started
    mode = mode or os.environ.get("NOVA_CONCURRENCY") or EVENTLET
    if mode == EVENTLET:
        # psycopg waits in C unless told to wait through the (patched) selectors module.
        os.environ.setdefault("PSYCOPG_WAIT_FUNC", "wait_selector")
        # The greendns resolver costs start-up time and breaks /etc/hosts rules of network namespaces.
        os.environ.setdefault("EVENTLET_NO_GREENDNS", "yes")
        import warnings

        # Its text begins with an empty line.
        warnings.filterwarnings("ignore", message=r"\s*eventlet is deprecated")
        eventlet = _import_eventlet()
        eventlet.monkey_patch()
    elif mode != THREADING:
        raise ValueError(f"NOVA_CONCURRENCY must be 'eventlet' or 'threading', not {mode!r}")
    _started = mode
    return mode


def _import_eventlet() -> Any:
    """Import eventlet without OpenSSL's bindings, which it takes along where they are installed.

    It knows them only to tell their errors; our TLS is the standard library's.  Without them a daemon starts
    a tenth sooner and is some megabytes smaller.
    """
    hidden = "OpenSSL" not in sys.modules
    if hidden:
        sys.modules["OpenSSL"] = None  # type: ignore[assignment]  # what makes an import fail
    try:
        import eventlet
    finally:
        if hidden:
            del sys.modules["OpenSSL"]
    return eventlet


def mode() -> str:
    """Tell the mode in force; ``threading`` when nobody called :func:`start` (plain unit tests)."""
    return _started or THREADING


def is_green() -> bool:
    """Tell whether this process runs on green threads."""
    return _started == EVENTLET


def in_native_thread(call: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a blocking call without stopping other work of the process; return what it returns."""
    if not is_green():
        return call(*args, **kwargs)
    from eventlet import tpool

    result: R = tpool.execute(call, *args, **kwargs)
    return result


def start_native_thread(work: Callable[[], None], *, name: str) -> None:
    """Start a thread of the operating system that no green thread waits for and the exit does not join.

    Under eventlet nothing in it may touch green things (locks, queues, sockets, logging).
    """
    if is_green():
        from eventlet import patcher

        threading = patcher.original("threading")
    else:
        import threading
    threading.Thread(target=work, name=name, daemon=True).start()


def serve_wsgi(
    app: Any, listener: Any, *, connections: int, keepalive_seconds: float, log: Any, peers: Any = None
) -> None:
    """Serve a WSGI application on a listening socket until the socket is closed (eventlet only).

    ``peers`` (``nova.api.wsgi.peers``) says which connections are hung up on at once.
    """
    import eventlet.wsgi

    class Protocol(eventlet.wsgi.HttpProtocol):  # type: ignore[misc]
        """Refuses what it cannot read in a line of text, and always with a status line."""

        default_request_version = "HTTP/1.1"
        error_content_type = "text/plain; charset=utf-8"
        error_message_format = "%(code)d %(explain)s\n"
        server_version, sys_version = "nova", ""

        def handle(self) -> None:
            peer = self.client_address[0]
            if peers is not None and not peers.enter(peer):
                return
            try:
                super().handle()
            finally:
                if peers is not None:
                    peers.leave(peer)

    eventlet.wsgi.server(
        listener,
        app,
        custom_pool=eventlet.GreenPool(connections),
        protocol=Protocol,
        log=log,
        log_output=False,
        keepalive=True,
        socket_timeout=keepalive_seconds,
        debug=False,
    )
