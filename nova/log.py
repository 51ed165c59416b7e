"""Log lines that say for which request and which instance they were written, and never tell a secret.

oslo.log brings the options that operators know (``debug``, ``log_file``, ``use_json``, ...) and the handlers;
the lines are ours::

    2030-01-01 12:00:00.123 4242 INFO nova.compute.jobs [req-1f.. user project] [instance: 9c..] built

The context is bound to the running thread (green or native) with :func:`bound`; the RPC server and the API do
so for each request, loops for each run.  Everybody may import this module.
"""

from __future__ import annotations

import contextvars
import json
import logging
import re
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

from nova.context import RequestContext

if TYPE_CHECKING:
    from oslo_config import cfg

_CURRENT: contextvars.ContextVar[tuple[RequestContext | None, str | None]] = contextvars.ContextVar(
    "nova_log", default=(None, None)
)

_SECRET_NAMES = (
    "x-auth-token|x-subject-token|x-service-token|x-metadata-provider-signature|x-instance-id-signature|"
    "authorization|admin_?pass(?:word)?|password|passwd|original_password|secret(?:_key)?|shared_secret|"
    "auth_token|token|user_data|contents|private_key|credentials?"
)
_SECRET_NAME = re.compile(_SECRET_NAMES, re.I)
# name, separator and quotes as in headers, JSON, dictionaries, command lines and query strings, also those
# that were quoted once or twice (a console's link has its token in a path within a path)
_SECRET = re.compile(
    rf"""(?ix) ((?: \b | (?<=%3f) | (?<=%26) | (?<=253f) | (?<=2526) ) (?:{_SECRET_NAMES}) ['"]? \s*
    (?: [:=] | %(?:25)*3d | \s=>\s ) \s* ['"bu]{{0,2}})
    ([^\s'",;&\}}]+ (?:[^'",;&\}}\n]*(?=['"]))?)"""
)
_PATH_SECRET = re.compile(r"(/os-console-auth-tokens/)[^\s/?\"']+")
_URL_SECRET = re.compile(r"(\w://[^\s:/@]+:)[^\s/@]+(@)")
_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)", re.S)


class bound:  # noqa: N801 - reads as a verb where it is used: with log.bound(ctx):
    """Bind a context, and an instance if there is one, to this thread for the length of a ``with`` block."""

    __slots__ = ("_new", "_token")

    def __init__(self, ctx: RequestContext | None, instance: str | None = None) -> None:
        self._new = (ctx, instance)

    def __enter__(self) -> None:
        self._token = _CURRENT.set(self._new)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _CURRENT.reset(self._token)


class about(bound):  # noqa: N801 - with log.about(instance.id):
    """Bind an instance and keep the context that is bound already."""

    __slots__ = ()

    def __init__(self, instance: str) -> None:
        super().__init__(_CURRENT.get()[0], instance)


def current() -> RequestContext | None:
    """Return the context this thread works for, if it was bound."""
    return _CURRENT.get()[0]


def names_secret(name: str) -> bool:
    """Tell whether what goes by this name is a secret."""
    return _SECRET_NAME.fullmatch(name) is not None


def mask(text: str) -> str:
    """Replace what looks like a secret by ``***``."""
    text = _SECRET.sub(r"\1***", text)
    if "/os-console-auth-tokens/" in text:
        text = _PATH_SECRET.sub(r"\1***", text)
    if "://" in text:
        text = _URL_SECRET.sub(r"\1***\2", text)
    if "PRIVATE KEY" in text:
        text = _KEY.sub("***", text)
    return text


class _Lines(logging.Formatter):
    """Facts of a record that both forms show."""

    def stamp(self, record: logging.LogRecord) -> str:
        seconds = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
        return f"{seconds}.{int(record.msecs):03d}"

    def trace(self, record: logging.LogRecord) -> str:
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        return record.exc_text or ""


class TextFormatter(_Lines):
    """One line for people."""

    def format(self, record: logging.LogRecord) -> str:
        ctx, instance = _CURRENT.get()
        instance = getattr(record, "instance_uuid", None) or instance
        who = f"[{ctx.request_id} {ctx.user_id or '-'} {ctx.project_id or '-'}]" if ctx else "[-]"
        about = f" [instance: {instance}]" if instance else ""
        message = record.getMessage()
        head = f"{self.stamp(record)} {record.process} {record.levelname} {record.name} {who}{about}"
        trace = self.trace(record)
        return f"{head} {mask(message)}" + (f"\n{mask(trace)}" if trace else "")


class JsonFormatter(_Lines):
    """One JSON object a line, for machines."""

    def format(self, record: logging.LogRecord) -> str:
        ctx, instance = _CURRENT.get()
        line: dict[str, Any] = {
            "time": self.stamp(record),
            "level": record.levelname,
            "logger": record.name,
            "pid": record.process,
            "message": mask(record.getMessage()),
        }
        if ctx:
            line |= {"request_id": ctx.request_id, "user_id": ctx.user_id, "project_id": ctx.project_id}
            if ctx.global_request_id:
                line["global_request_id"] = ctx.global_request_id
        instance = getattr(record, "instance_uuid", None) or instance
        if instance:
            line["instance_uuid"] = instance
        trace = self.trace(record)
        if trace:
            line["traceback"] = mask(trace)
        return json.dumps(line, ensure_ascii=False)


def setup(conf: cfg.ConfigOpts, program: str) -> None:
    """Send the logs of this process where ``conf`` says; may be called again after the options changed."""
    from oslo_log import log as oslo_log

    oslo_log.setup(conf, program)
    formatter = JsonFormatter() if conf.use_json else TextFormatter()
    for handler in logging.getLogger().handlers:
        handler.setFormatter(formatter)
        if isinstance(handler, logging.StreamHandler) and handler.stream is sys.stdout:
            handler.setStream(sys.stderr)  # what a command prints there is for scripts
    logging.captureWarnings(True)
