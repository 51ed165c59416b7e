"""Everything both trees are made of, gathered by the caller."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from nova.objects.base import Value
from nova.objects.metadata import GuestMetadata


class VendorData(Value, frozen=True, kw_only=True):
    """What the operator adds to every guest's metadata."""

    static: dict[str, Any] = {}
    """Content of the operator's file (``vendor_data.json``)."""
    dynamic: dict[str, Any] = {}
    """Target name to the answer of its service (``vendor_data2.json``)."""


class Facts(Value, frozen=True, kw_only=True):
    """A guest's metadata and the deployment's part of it."""

    md: GuestMetadata
    domain: str = ""
    """Appended to host names after a dot (option ``dhcp_domain``); empty for none."""
    requester: str | None = None
    """Address the request came from, for guests without a fixed address."""
    seed: bytes = b""
    """Random bytes for the guest's entropy pool, new each time."""
    vendor: VendorData = VendorData()
    with_admin_password: bool = False
    """True for config drives: they are read before anybody else is in."""

    @property
    def hostname(self) -> str:
        """The guest's full host name."""
        name = self.md.guest.hostname
        return f"{name}.{self.domain}" if self.domain else name

    @property
    def user_data(self) -> bytes | None:
        """The decoded user data; none without any or when it is not base64."""
        return decoded(self.md.guest.user_data)


def decoded(text: str | None) -> bytes | None:
    """Decode base64 that a user gave; none for none and for what is no base64."""
    if not text:
        return None
    try:
        return base64.b64decode(text, validate=False)
    except (binascii.Error, ValueError):
        return None
