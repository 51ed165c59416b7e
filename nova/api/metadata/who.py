"""Who asks: the one question on which the whole service stands."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Mapping
from typing import Any

import msgspec

from nova.conf.metadata import MetadataConf
from nova.errors.metadata import BadSignature, ForeignHost, ForgedHeader, HeaderMissing

_FORWARDED = "HTTP_X_FORWARDED_FOR"
_INSTANCE = "HTTP_X_INSTANCE_ID"
_TENANT = "HTTP_X_TENANT_ID"
_SIGNATURE = "HTTP_X_INSTANCE_ID_SIGNATURE"

Range = ipaddress.IPv4Network | ipaddress.IPv6Network


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks: by address, or by an instance id that a proxy proved."""

    address: str | None = None
    instance: str | None = None
    project: str | None = None
    """The project the proxy says the instance belongs to; to be compared."""

    @property
    def key(self) -> str:
        """What requests of one guest have in common."""
        return self.instance or self.address or ""


class Identification:
    """Finds out who asks, as the operator chose: by source address or by signed instance id."""

    def __init__(self, conf: MetadataConf) -> None:
        if conf.signed and not conf.secret:
            raise ValueError(
                "service_metadata_proxy needs metadata_proxy_shared_secret: without it anybody could claim "
                "to be any instance"
            )
        self._signed = conf.signed
        self._secret = conf.secret.encode()
        self._forwarded = conf.use_forwarded_for
        self._names = frozenset(name.lower() for name in conf.server_names)
        self._proxies: tuple[Range, ...] = tuple(
            ipaddress.ip_network(text.strip(), strict=False) for text in conf.trusted_proxies
        )

    def of(self, environ: Mapping[str, Any]) -> Asker:
        """Tell who asks.  Raises 400 for missing or broken headers, 403 for forged ones."""
        return self._by_signature(environ) if self._signed else self._by_address(environ)

    def asks_for_many(self, address: str) -> bool:
        """Tell whether requests from an address are those of many guests."""
        peer = _address(address)
        return self._signed or (self._forwarded and peer is not None and self._is_trusted(peer))

    def _by_address(self, environ: Mapping[str, Any]) -> Asker:
        self._require_own_name(str(environ.get("HTTP_HOST", "")))
        peer = _address(environ.get("REMOTE_ADDR", ""))
        if peer is None:
            raise HeaderMissing(header="source address")
        if _FORWARDED not in environ:
            return Asker(address=str(peer))
        if not self._forwarded or not self._is_trusted(peer):
            # Also what an open web proxy inside a guest would hand on for strangers.
            raise ForgedHeader(header="X-Forwarded-For")
        return Asker(address=self._forwarded_for(environ[_FORWARDED]))

    def _require_own_name(self, host: str) -> None:
        """Refuse a request for a server of the Internet: a name that was pointed at our address.

        That is how a web page, open in a guest's browser, would read what its guest is told (DNS rebinding).
        Guests ask by address; names without a dot are not to be had in the Internet.
        """
        name = host.strip().lower()
        if name.startswith("["):
            name = name[1:].partition("]")[0]
        elif name.count(":") == 1:
            name = name.partition(":")[0]
        name = name.rstrip(".")
        if "." in name and name not in self._names and _address(name) is None:
            raise ForeignHost(host=host)

    def _forwarded_for(self, header: str) -> str:
        """Return the last address in the header that is no proxy of ours: each proxy appends whom it saw."""
        for text in reversed(header.split(",")):
            address = _address(text)
            if address is None:
                break
            if not self._is_trusted(address):
                return str(address)
        raise HeaderMissing(header="X-Forwarded-For")

    def _is_trusted(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
        return any(address in proxies for proxies in self._proxies)

    def _by_signature(self, environ: Mapping[str, Any]) -> Asker:
        instance = _once(environ, _INSTANCE, "X-Instance-ID")
        project = _once(environ, _TENANT, "X-Tenant-ID")
        signature = _once(environ, _SIGNATURE, "X-Instance-ID-Signature")
        expected = hmac.new(self._secret, instance.encode("latin-1"), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), signature.lower().encode("latin-1")):
            raise BadSignature()
        forwarded = _address(environ.get(_FORWARDED, "").split(",")[0])
        return Asker(instance=instance, project=project, address=str(forwarded) if forwarded else None)


def _once(environ: Mapping[str, Any], key: str, header: str) -> str:
    # Doubled headers arrive joined by a comma, which none of these values can contain.
    value = str(environ.get(key, "")).strip()
    if not value or "," in value:
        raise HeaderMissing(header=header)
    return value


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    # An IPv4 guest on a listener of both families.
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
