"""Keystone, asked through keystonemiddleware's ``auth_token``: its options, its checks, service tokens."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Iterable
from typing import Any

import webob
from keystoneauth1 import exceptions as ksa
from keystonemiddleware import auth_token
from oslo_config import cfg

from nova.clock import Clock
from nova.errors.http import IdentityUnavailable, Unauthorized
from nova.identity.cache import Proof
from nova.identity.principal import Credentials, Principal

LOG = logging.getLogger(__name__)

_CAPTURED = "nova.captured"


class KeystoneProver:
    """Runs the middleware around an application that only notes that it was reached.

    The middleware's own in-process cache is switched off (``cache.CachedIdentity`` stands in front) unless
    memcached servers are configured.
    """

    def __init__(self, conf: cfg.ConfigOpts, clock: Clock) -> None:
        self._clock = clock
        for group, options in auth_token.list_opts():
            conf.register_opts(options, group=group)
        settings: dict[str, Any] = {"oslo_config_config": conf, "delay_auth_decision": False}
        if not conf.keystone_authtoken.memcached_servers:
            settings["token_cache_time"] = -1
        if not conf.keystone_authtoken.service_type:
            settings["service_type"] = "compute"
        self._middleware = auth_token.AuthProtocol(_reached, settings)

    def prove(self, shown: Credentials) -> Proof:
        request = webob.Request.blank(shown.path or "/", method=shown.method or "GET")
        if shown.token:
            request.headers["X-Auth-Token"] = shown.token
        if shown.service_token:
            request.headers["X-Service-Token"] = shown.service_token
        try:
            answer = request.get_response(self._middleware)
        except ksa.ClientException as error:
            LOG.warning("Keystone cannot be asked about a token: %s", error)
            raise IdentityUnavailable() from error
        if _CAPTURED not in request.environ:
            if answer.status_int == 401:
                raise Unauthorized(challenge=answer.headers.get("WWW-Authenticate", ""))
            raise IdentityUnavailable()
        return Proof(_principal(request.environ), self._good_for(request.environ))

    def _good_for(self, environ: dict[str, Any]) -> float:
        """Return the seconds until the token expires; 0 where the answer depends on the request itself."""
        token = (environ.get("keystone.token_info") or {}).get("token") or {}
        if (token.get("application_credential") or {}).get("access_rules"):
            return 0.0
        try:
            expires = datetime.datetime.fromisoformat(token["expires_at"])
        except (KeyError, ValueError):
            return 0.0
        if expires.tzinfo is None:
            expires = expires.replace(tzinfo=datetime.UTC)
        return (expires - self._clock.now()).total_seconds()


def _reached(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    environ[_CAPTURED] = True
    start_response("204 No Content", [])
    return [b""]


def _principal(environ: dict[str, Any]) -> Principal:
    def header(name: str) -> str:
        return environ.get(f"HTTP_X_{name}") or ""

    def names(text: str) -> tuple[str, ...]:
        return tuple(sorted({name.strip().lower() for name in text.split(",") if name.strip()}))

    return Principal(
        user_id=header("USER_ID"),
        project_id=header("PROJECT_ID"),
        roles=names(header("ROLES")),
        user_name=header("USER_NAME"),
        project_name=header("PROJECT_NAME"),
        user_domain_id=header("USER_DOMAIN_ID"),
        project_domain_id=header("PROJECT_DOMAIN_ID"),
        service_roles=names(header("SERVICE_ROLES")),
    )
