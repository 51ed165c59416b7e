"""From credentials to the request context."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nova import log
from nova.api.wsgi.application import CONTEXT_KEY
from nova.api.wsgi.faults import unauthorized
from nova.api.wsgi.middleware.request_id import GLOBAL_REQUEST_ID, REQUEST_ID
from nova.api.wsgi.response import WSGI, StartResponse, send
from nova.context import RequestContext
from nova.errors.http import Unauthorized
from nova.identity import Credentials, Identity
from nova.policy import Policy


class Auth:
    """Proves the caller and leaves a :class:`RequestContext` for the application; answers 401 itself."""

    def __init__(self, app: WSGI, identity: Identity, policy: Policy) -> None:
        self._app = app
        self._identity = identity
        self._policy = policy

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        get = environ.get
        shown = Credentials(
            token=get("HTTP_X_AUTH_TOKEN", "") or get("HTTP_X_STORAGE_TOKEN", ""),
            service_token=get("HTTP_X_SERVICE_TOKEN", ""),
            claimed_user=get("HTTP_X_USER_ID", ""),
            claimed_project=get("HTTP_X_PROJECT_ID", ""),
            claimed_roles=get("HTTP_X_ROLES", ""),
            remote_address=get("REMOTE_ADDR", ""),
            method=environ["REQUEST_METHOD"],
            path=environ.get("PATH_INFO", ""),
        )
        try:
            who = self._identity.authenticate(shown)
        except Unauthorized as error:
            return send(start_response, *unauthorized(error))
        ctx = environ[CONTEXT_KEY] = RequestContext(
            request_id=environ[REQUEST_ID],
            global_request_id=get(GLOBAL_REQUEST_ID),
            user_id=who.user_id,
            project_id=who.project_id,
            roles=who.roles,
            is_admin=self._policy.is_admin(who.roles, who.project_id, who.user_id),
            user_name=who.user_name,
            project_name=who.project_name,
            user_domain_id=who.user_domain_id,
            project_domain_id=who.project_domain_id,
            service_roles=who.service_roles,
            remote_address=shown.remote_address or None,
        )
        with log.bound(ctx):
            return self._app(environ, start_response)
