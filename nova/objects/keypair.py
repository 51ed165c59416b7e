"""Key pairs."""

from __future__ import annotations

import datetime

from nova.objects.base import Value
from nova.objects.ids import UserId


class KeyPair(Value, frozen=True, kw_only=True):
    """A public key that a user's new servers accept."""

    user_id: UserId
    name: str
    public_key: str
    fingerprint: str
    type: str = "ssh"
    """``ssh`` or ``x509``."""
    id: int = 0
    created_at: datetime.datetime | None = None


class NewKeyPair(Value, frozen=True, kw_only=True):
    """A key pair just made; the private key is told once and never stored."""

    keypair: KeyPair
    private_key: str | None = None
