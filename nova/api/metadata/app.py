"""The WSGI application: path and headers in, a document out."""

from __future__ import annotations

import logging
import posixpath
from collections.abc import Iterable
from typing import Any

import msgspec

from nova import ids
from nova.api.metadata.lookup import Lookup
from nova.api.metadata.rate import Turnstile
from nova.api.metadata.vendor_data import VendorSource
from nova.api.metadata.who import Asker, Identification
from nova.api.wsgi.response import StartResponse, send
from nova.clock import Clock
from nova.errors import NovaError
from nova.errors.metadata import NoMetadata, PasswordKept, PasswordUnfit
from nova.guestdata import ec2_tree, openstack_tree
from nova.guestdata.facts import Facts

_LOG = logging.getLogger(__name__)

PASSWORD_LIMIT = 1020
"""Bytes: four chunks of 255 characters, as the API has always kept it."""
_TEXT = "text/plain"
_ROOT = "\n".join((*ec2_tree.VERSIONS, ec2_tree.LATEST)).encode()

Environ = dict[str, Any]


class MetadataApp:
    """Answers guests."""

    def __init__(
        self,
        who: Identification,
        lookup: Lookup,
        turnstile: Turnstile,
        vendor: VendorSource,
        clock: Clock,
        domain: str,
    ) -> None:
        self._who = who
        self._lookup = lookup
        self._turnstile = turnstile
        self._vendor = vendor
        self._clock = clock
        self._domain = domain

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            code, (body, kind) = 200, self._answer(environ)
            headers = [("Content-Type", f"{kind}; charset=UTF-8" if kind == _TEXT else kind)]
        except NovaError as error:
            code, body = error.http, f"{error}\n".encode()
            headers = [("Content-Type", "text/plain; charset=UTF-8")]
            if error.retry_after is not None:
                headers.append(("Retry-After", str(error.retry_after)))
        except Exception:  # the last wall before the server: one request's surprise is not the others'
            _LOG.exception("a request for metadata failed")
            code, body = 500, b"The metadata could not be told.\n"
            headers = [("Content-Type", "text/plain; charset=UTF-8")]
        answer = send(start_response, code, headers, body)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else answer

    def _answer(self, environ: Environ) -> tuple[bytes, str]:
        method = environ["REQUEST_METHOD"]
        path = posixpath.normpath("/" + environ.get("PATH_INFO", "").lstrip("/"))
        asker = self._who.of(environ)
        with self._turnstile.passing(asker.key):
            if path == "/":
                return _ROOT, _TEXT
            if _is_password(path):
                if method == "POST":
                    return self._take_password(environ, asker), _TEXT
                if method not in ("GET", "HEAD"):
                    raise PasswordUnfit(limit=PASSWORD_LIMIT)
            elif method not in ("GET", "HEAD"):
                # Clients that try for a session token first take this for a service without any.
                raise NoMetadata()
            return self._document(path, asker)

    def _document(self, path: str, asker: Asker) -> tuple[bytes, str]:
        md = self._lookup.find(asker)
        facts = Facts(md=md, domain=self._domain, requester=asker.address)
        if path == "/openstack" or path.startswith("/openstack/"):
            found = openstack_tree.answer(self._completed(facts, path), path, self._clock.now().date())
            if found is None:
                raise NoMetadata()
            return found
        body = ec2_tree.answer(facts, path)
        if body is None:
            raise NoMetadata()
        return body, _TEXT

    def _completed(self, facts: Facts, path: str) -> Facts:
        """Add what only some documents need."""
        name = posixpath.basename(path)
        if name.startswith("vendor_data"):
            vendor = self._vendor.for_guest(facts, dynamic=name == "vendor_data2.json")
            return msgspec.structs.replace(facts, vendor=vendor)
        if name == "meta_data.json":
            return msgspec.structs.replace(facts, seed=ids.new_seed())
        return facts

    def _take_password(self, environ: Environ, asker: Asker) -> bytes:
        try:
            length = int(environ.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = -1
        if environ.get("HTTP_TRANSFER_ENCODING") and not length:
            # In chunks, so its length is not known; it would be taken for an empty one.
            length = -1
        if not 0 <= length <= PASSWORD_LIMIT:
            raise PasswordUnfit(limit=PASSWORD_LIMIT)
        try:
            password = environ["wsgi.input"].read(length).decode("utf-8")
        except UnicodeDecodeError:
            raise PasswordUnfit(limit=PASSWORD_LIMIT) from None
        if "\0" in password:
            raise PasswordUnfit(limit=PASSWORD_LIMIT)
        if not self._lookup.put_password(asker, password):
            raise PasswordKept()
        return b""


def _is_password(path: str) -> bool:
    words = path.split("/")
    return (
        len(words) == 4
        and words[1] == "openstack"
        and words[3] == "password"
        and openstack_tree.is_version(words[2])
        and words[2] >= openstack_tree.GRIZZLY
    )
