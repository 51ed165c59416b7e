"""Builds the Compute API's WSGI application from what is handed in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from nova.api.compute import registry, versions
from nova.api.compute.discovery import Discovery
from nova.api.compute.versions.base import History
from nova.api.wsgi.application import Endpoint
from nova.api.wsgi.editions import Editions
from nova.api.wsgi.middleware.pipeline import Filter, compose, inner, outer
from nova.api.wsgi.operation import Operation, rules_of
from nova.api.wsgi.request import Services
from nova.api.wsgi.response import WSGI, StartResponse
from nova.clock import Clock
from nova.conf.api import ApiConf
from nova.conf.policy import PolicyConf
from nova.identity import Identity
from nova.image.base import ImageStore
from nova.policy import Policy
from nova.rpc.contracts.conductor import Conductor


class Site:
    """Sends a request to the version documents or to the endpoint its path names."""

    def __init__(self, discovery: Discovery, v2: WSGI, v21: WSGI) -> None:
        self._discovery = discovery
        self._v2 = v2
        self._v21 = v21

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path: str = environ.get("PATH_INFO", "")
        if path.startswith("//"):
            path = environ["PATH_INFO"] = "/" + path.lstrip("/")
        if path.startswith("/v2.1/") and path != "/v2.1/":
            return self._v21(environ, start_response)
        if path.startswith("/v2/") and path != "/v2/":
            return self._v2(environ, start_response)
        discovery = self._discovery
        host = discovery.host(environ)
        if path in ("", "/"):
            return discovery.answer(start_response, discovery.all(host))
        if path.rstrip("/") in ("/v2", "/v2.1"):
            document = discovery.one(host, legacy=path.rstrip("/") == "/v2")
            return discovery.answer(start_response, document)
        return discovery.answer(start_response, discovery.choices(host, path), 300)


def policy_of(conf: PolicyConf, clock: Clock, operations: Iterable[Operation] | None = None) -> Policy:
    """Return the policy that guards operations (all registered ones unless told otherwise)."""
    return Policy(rules_of(tuple(registry.operations() if operations is None else operations)), conf, clock)


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What the API is built of."""

    settings: ApiConf
    conductor: Conductor
    """The typed client of the conductor's contract."""
    identity: Identity
    policy: Policy
    clock: Clock
    images: Callable[[], ImageStore] | None = None
    """Makes the image store when it is first needed."""


def build(
    parts: Parts,
    *,
    operations: Sequence[Operation] | None = None,
    history: History | None = None,
    extra_filters: Sequence[Filter] = (),
) -> WSGI:
    """Return the whole site: version documents, ``/v2.1`` and ``/v2``, behind the middleware.

    Without ``operations`` all registered resources are served, in the history of all released microversions.
    """
    resources = tuple(registry.operations() if operations is None else operations)
    history = history or versions.history()
    discovery = Discovery(history.oldest, history.newest, parts.settings)
    everything = (*discovery.operations(), *resources)
    editions = Editions(everything, history)
    services = Services(
        conductor=parts.conductor,
        policy=parts.policy,
        clock=parts.clock,
        settings=parts.settings,
        features=history.features,
        images=parts.images,
    )
    guard = inner(parts.identity, parts.policy)
    v21 = compose(guard, Endpoint(everything, editions, services, path="/v2.1"))
    v2 = compose(guard, Endpoint(everything, editions, services, path="/v2", legacy=True))
    return compose(
        outer(parts.settings.max_request_body_size, parts.clock, extra_filters), Site(discovery, v2, v21)
    )
