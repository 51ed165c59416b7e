"""What a handler knows of the request it serves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from webob import Request as WebobRequest

from nova.api.wsgi.links import Links
from nova.api.wsgi.operation import Operation
from nova.api.wsgi.recent import Recent
from nova.api.wsgi.version import LEGACY, Version
from nova.clock import Clock
from nova.conf.api import ApiConf
from nova.context import RequestContext
from nova.errors import Unsupported
from nova.errors.http import InvalidInput
from nova.image.base import ImageStore
from nova.policy import Policy, Rule, Target
from nova.rpc.contracts.conductor import Conductor

Environ = dict[str, Any]
NO_NUL = "Text must not hold NUL characters."


class Query:
    """A checked query string: every key may repeat."""

    __slots__ = ("_values",)

    def __init__(self, values: dict[str, list[str]]) -> None:
        self._values = values

    def get(self, key: str, default: str | None = None) -> str | None:
        """Return the last value of a key."""
        values = self._values.get(key)
        return values[-1] if values else default

    def all(self, key: str) -> list[str]:
        """Return every value of a key, in order."""
        return self._values.get(key, [])

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def keys(self) -> list[str]:
        """Return the keys that were given."""
        return list(self._values)

    def items(self) -> list[tuple[str, list[str]]]:
        """Return keys with all their values."""
        return list(self._values.items())


class Services:
    """What the application hands to every request."""

    __slots__ = ("clock", "conductor", "features", "images", "policy", "recent", "settings")

    def __init__(
        self,
        *,
        conductor: Conductor,
        policy: Policy,
        clock: Clock,
        settings: ApiConf,
        features: Mapping[str, Version],
        images: Callable[[], ImageStore] | None = None,
    ) -> None:
        self.conductor = conductor
        self.policy = policy
        self.clock = clock
        self.settings = settings
        self.features = features
        self.images = images
        self.recent = Recent(clock)


class Request:
    """One request, after all checks: the caller, the version, the body lifted to the newest version.

    ``status`` and ``headers`` may be set by a handler: another success code (tags), a ``Location``.
    """

    __slots__ = (
        "_services",
        "body",
        "conductor",
        "ctx",
        "environ",
        "headers",
        "links",
        "operation",
        "query",
        "raw_query",
        "recent",
        "settings",
        "status",
        "version",
    )

    def __init__(
        self,
        environ: Environ,
        ctx: RequestContext,
        operation: Operation,
        version: Version,
        services: Services,
        links: Links,
    ) -> None:
        self.environ = environ
        self.ctx = ctx
        self.operation = operation
        self.version = version
        self.links = links
        self.conductor = services.conductor
        self.settings = services.settings
        self.recent = services.recent
        self._services = services
        self.body: Any = None
        self.query = Query({})
        self.raw_query: dict[str, list[str]] = {}
        self.status: int | None = None
        self.headers: list[tuple[str, str]] = []

    @property
    def clock(self) -> Clock:
        """Return the clock."""
        return self._services.clock

    @property
    def images(self) -> ImageStore:
        """Return the image store; raise 501 where none is there."""
        if self._services.images is None:
            raise Unsupported(reason="Images are not served here.")
        return self._services.images()

    @property
    def legacy(self) -> bool:
        """Tell whether the request came to ``/v2``."""
        return self.version == LEGACY

    @property
    def argument(self) -> Any:
        """Return what stands below the one top key of the body (an action's argument)."""
        return next(iter(self.body.values())) if self.body else None

    @property
    def token(self) -> str:
        """Return the caller's token, for services that act in the caller's name."""
        return str(self.environ.get("HTTP_X_AUTH_TOKEN", ""))

    @property
    def webob(self) -> WebobRequest:
        """Return the request as WebOb shows it (for what this class does not offer)."""
        return WebobRequest(self.environ)

    def has(self, feature: str) -> bool:
        """Tell whether a named feature is in force at this request's version."""
        return self.version >= self._services.features[feature]

    def authorize(
        self,
        *,
        target_project_id: str | None = None,
        target_user_id: str | None = None,
        rule: Rule | str | None = None,
    ) -> None:
        """Raise 403 unless the caller may do this to something of another project or user.

        Without a rule it is the operation's own.  What is left out is the caller's.
        """
        self._services.policy.require(
            self.ctx, self._rule_name(rule), self._target(target_project_id, target_user_id)
        )

    def may(
        self,
        rule: Rule | str,
        *,
        target_project_id: str | None = None,
        target_user_id: str | None = None,
    ) -> bool:
        """Tell whether the caller may; for policies that filter instead of refusing."""
        return self._services.policy.may(
            self.ctx, self._rule_name(rule), self._target(target_project_id, target_user_id)
        )

    def respond_at(self, location: str) -> None:
        """Answer with a ``Location`` header."""
        self.headers.append(("Location", location))

    def _rule_name(self, rule: Rule | str | None) -> str:
        if rule is None:
            if self.operation.policy is None:
                raise LookupError(f"{self.operation.name} has no policy rule of its own")
            return self.operation.policy.name
        return rule if isinstance(rule, str) else rule.name

    def _target(self, project_id: str | None, user_id: str | None) -> Target | None:
        if project_id is None and user_id is None:
            return None
        return Target(
            self.ctx.project_id if project_id is None else project_id,
            self.ctx.user_id if user_id is None else user_id,
        )


def read_query(environ: Environ) -> dict[str, list[str]]:
    """Return the query string as key to list of values, blank values kept.  Raises 400 for NUL characters."""
    text = environ.get("QUERY_STRING", "")
    if "%00" in text or "\0" in text:
        raise InvalidInput(reason=NO_NUL)
    values: dict[str, list[str]] = {}
    if text:
        for key, value in parse_qsl(text, keep_blank_values=True):
            values.setdefault(key, []).append(value)
    return values
