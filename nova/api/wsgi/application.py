"""The WSGI application of one versioned endpoint: route, check, run, render.

The order of checks is part of the API: microversion, content type, action and body, project in the path,
life span of the operation, query schema, body schema, policy, handler.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from webob import exc as webob_exc

from nova.api.wsgi.editions import Edition, Editions
from nova.api.wsgi.faults import ANSWER_HEADERS, fault
from nova.api.wsgi.links import Links, host_url
from nova.api.wsgi.operation import Operation
from nova.api.wsgi.request import NO_NUL, Environ, Query, Request, Services, read_query
from nova.api.wsgi.response import JSON_TYPE, Headers, StartResponse, json_bytes, send
from nova.api.wsgi.router import Router, Target
from nova.api.wsgi.version import LEGACY, Version, asked_version
from nova.context import RequestContext
from nova.errors import NovaError
from nova.errors.http import (
    BodyTooLarge,
    Gone,
    InvalidInput,
    MalformedBody,
    MalformedVersion,
    NoSuchAction,
    ProjectMismatch,
    RouteNotFound,
    UnsupportedMediaType,
    VersionNotSupported,
)

LOG = logging.getLogger(__name__)

CONTEXT_KEY = "nova.context"
VENDOR_TYPE = "application/vnd.openstack.compute+json"
_JSON_TYPES = frozenset({"", "text/plain", "application/json", VENDOR_TYPE})
_BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})
_SLASHES = re.compile("//+")
_VARY = ("Vary", "OpenStack-API-Version, X-OpenStack-Nova-API-Version")


class Endpoint:
    """Serves all operations below one path such as ``/v2.1`` (or ``/v2``, which knows no microversions)."""

    def __init__(
        self,
        operations: Sequence[Operation],
        editions: Editions,
        services: Services,
        *,
        path: str,
        legacy: bool = False,
    ) -> None:
        self._path = path
        self._legacy = legacy
        self._editions = editions
        self._history = editions.history
        self._services = services
        self.router = Router(operations)
        self._project = re.compile(services.settings.project_id_regex)
        self._version_headers: dict[str, tuple[tuple[str, str], ...]] = {}
        self._asked: dict[str, Version] = {"latest": self._history.newest}

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if "//" in path:
            path = environ["PATH_INFO"] = _SLASHES.sub("/", path)
        found = self._find(environ, path[len(self._path) :])
        if found is None:
            return _page(webob_exc.HTTPNotFound(), environ, start_response)
        target, variables, project = found
        if project is not None and path.endswith(project):
            return _page(webob_exc.HTTPFound(location=path + "/"), environ, start_response)
        headers: Headers = []
        environ[ANSWER_HEADERS] = headers
        try:
            version = LEGACY if self._legacy else self._negotiate(environ, headers)
            code, body = self._serve(environ, target, variables, project, version, headers)
        except NovaError as error:
            if error.http >= 500 and error.http != 501:
                LOG.warning("%s %s: %s", environ["REQUEST_METHOD"], path, error)
            code, own, body = fault(error)
            headers.extend(own)
        return send(start_response, code, headers, body)

    def _find(self, environ: Environ, path: str) -> tuple[Target, dict[str, str], str | None] | None:
        """Match a path with or without project id in front (the caller's own may look as it likes)."""
        if not path.isascii():
            try:
                path = path.encode("latin-1").decode()  # what WSGI calls a string are octets
            except UnicodeDecodeError:
                return None
        if "\0" in path:
            return None
        method = environ["REQUEST_METHOD"]
        found = self.router.match(method, path)
        if found is not None:
            return found[0], found[1], None
        head, _, rest = path[1:].partition("/")
        if head and (head == environ[CONTEXT_KEY].project_id or self._project.fullmatch(head)):
            found = self.router.match(method, "/" + rest)
            if found is not None:
                return found[0], found[1], head
        return None

    def _negotiate(self, environ: Environ, headers: Headers) -> Version:
        """Return the version in force and put its headers in; raise 400 or 406."""
        text = asked_version(
            environ.get("HTTP_OPENSTACK_API_VERSION"), environ.get("HTTP_X_OPENSTACK_NOVA_API_VERSION")
        )
        if text is None:
            version = self._history.oldest
        else:
            known = self._asked.get(text)
            version = known if known is not None else self._parse(text, headers)
        headers.extend(self._headers_of(str(version)))
        return version

    def _parse(self, text: str, headers: Headers) -> Version:
        version = Version.parse(text)
        if not self._history.oldest <= version <= self._history.newest:
            headers.extend(_version_headers(text))
            raise VersionNotSupported(
                version=text, minimum=str(self._history.oldest), maximum=str(self._history.newest)
            )
        self._asked[text] = version
        return version

    def _headers_of(self, version: str) -> tuple[tuple[str, str], ...]:
        found = self._version_headers.get(version)
        if found is None:
            found = self._version_headers[version] = _version_headers(version)
        return found

    def _serve(
        self,
        environ: Environ,
        target: Target,
        variables: dict[str, str],
        project: str | None,
        version: Version,
        headers: Headers,
    ) -> tuple[int, bytes]:
        ctx: RequestContext = environ[CONTEXT_KEY]
        _check_content_type(environ)
        candidates, body = self._chosen(environ, target)
        if project is not None and project != ctx.project_id:
            raise ProjectMismatch(path=project, context=ctx.project_id)
        operation = self._living(candidates, version)
        edition = self._editions.of(operation, version)
        req = self._request(environ, ctx, operation, version, project)
        req.raw_query = read_query(environ)
        req.query = Query(edition.checked_query(req.raw_query))
        req.body = edition.checked_body(body)
        if operation.policy is not None and operation.own_project:
            self._services.policy.require(ctx, operation.policy.name)
        value = operation.handler(req, **variables)
        return self._render(req, edition, value, headers)

    def _chosen(self, environ: Environ, target: Target) -> tuple[list[Operation], Any]:
        """Return the operations the request may mean, and its body; raise 400 for what is none of them."""
        body: Any = None
        if environ["REQUEST_METHOD"] in _BODY_METHODS:
            body = read_body(environ, self._services.settings.max_request_body_size)
        if not target.actions:
            return target.plain, body
        if not isinstance(body, dict) or len(body) != 1:
            raise MalformedBody()
        name = next(iter(body))
        candidates = target.actions.get(name)
        if candidates is None:
            raise NoSuchAction(action=name)
        return candidates, body

    def _living(self, candidates: list[Operation], version: Version) -> Operation:
        for operation in candidates:
            if operation.gone:
                raise Gone()
            if self._editions.alive(operation, version):
                return operation
        raise RouteNotFound()

    def _request(
        self,
        environ: Environ,
        ctx: RequestContext,
        operation: Operation,
        version: Version,
        project: str | None,
    ) -> Request:
        settings = self._services.settings
        host = host_url(
            environ, settings.compute_link_prefix, behind_proxy=settings.enable_proxy_headers_parsing
        )
        prefix = settings.glance_link_prefix.rstrip("/") or host
        links = Links(host, self._path, f"/{project}" if project else "", environ["PATH_INFO"], prefix)
        return Request(environ, ctx, operation, version, self._services, links)

    def _render(self, req: Request, edition: Edition, value: Any, headers: Headers) -> tuple[int, bytes]:
        view = req.operation.view
        document = view(req, value) if view is not None else value
        headers.extend(req.headers)
        code = req.status or edition.code
        if document is None:
            if code != 204:
                headers.append(("Content-Type", JSON_TYPE))
            return code, b""
        if edition.step_down is not None and not isinstance(document, bytes):
            edition.step_down(document)
        headers.append(("Content-Type", JSON_TYPE))
        return code, json_bytes(document)


def _page(page: Any, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Answer with one of WebOb's plain pages, as requests get it that no operation knows."""
    answer: Iterable[bytes] = page(environ, start_response)
    return answer


def _version_headers(version: str) -> tuple[tuple[str, str], ...]:
    return (
        ("OpenStack-API-Version", f"compute {version}"),
        ("X-OpenStack-Nova-API-Version", version),
        _VARY,
    )


def _check_content_type(environ: Mapping[str, Any]) -> None:
    text = environ.get("CONTENT_TYPE") or ""
    if text and text.partition(";")[0].strip().lower() not in _JSON_TYPES:
        raise UnsupportedMediaType(content_type=text[:255])


def read_body(environ: Environ, limit: int) -> Any:
    """Return the decoded JSON body, or none for an empty one.  Raises 400 and 413."""
    text = environ.get("CONTENT_LENGTH") or ""
    stream = environ["wsgi.input"]
    if text:
        length = int(text) if text.isascii() and text.isdigit() else 0
        if length > limit:
            raise BodyTooLarge(limit=limit)
        data = stream.read(length) if length else b""
    elif environ.get("wsgi.input_terminated"):
        data = stream.read(limit + 1)
        if len(data) > limit:
            raise BodyTooLarge(limit=limit)
    else:
        data = b""
    if not data:
        return None
    try:
        body = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise MalformedBody() from None
    if b"\\u0000" in data and _holds_nul(body):
        raise InvalidInput(reason=NO_NUL)
    return body


def _holds_nul(value: Any) -> bool:
    """Tell whether some text holds a NUL character: no database takes it, no program has a use for it."""
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_holds_nul(key) or _holds_nul(below) for key, below in value.items())
    return isinstance(value, list) and any(map(_holds_nul, value))


__all__ = ["CONTEXT_KEY", "Endpoint", "MalformedVersion", "read_body"]
