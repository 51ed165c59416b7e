"""The maker of new identifiers; the only place that draws random ones."""

from __future__ import annotations

import hashlib
import secrets
import uuid


def new_uuid() -> str:
    """Return a fresh random uuid, lower case with dashes."""
    return str(uuid.uuid4())


def new_request_id() -> str:
    """Return ``req-<uuid>``, the form every OpenStack client expects in ``x-openstack-request-id``."""
    return f"req-{uuid.uuid4()}"


_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
_RESERVATION_LETTERS = 8
_RESERVATIONS = len(_ALPHABET) ** _RESERVATION_LETTERS


def new_reservation_id() -> str:
    """Return ``r-`` and eight characters, as EC2 and the Compute API show it."""
    drawn, letters = secrets.randbelow(_RESERVATIONS), ""
    for _ in range(_RESERVATION_LETTERS):
        drawn, letter = divmod(drawn, len(_ALPHABET))
        letters += _ALPHABET[letter]
    return f"r-{letters}"


def new_token() -> str:
    """Return a secret that cannot be guessed (256 bits, URL-safe)."""
    return secrets.token_urlsafe(32)


def new_mac() -> str:
    """Return a locally administered MAC address below ``fa:16:3e``."""
    return "fa:16:3e:" + ":".join(f"{b:02x}" for b in secrets.token_bytes(3))


_PASSWORD_SETS = ("23456789", "ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghijkmnopqrstuvwxyz")
"""Characters that nobody takes for another one."""


def new_password(length: int = 12) -> str:
    """Return a password with a digit, a capital and a small letter."""
    drawn = [secrets.choice(letters) for letters in _PASSWORD_SETS]
    drawn += [secrets.choice("".join(_PASSWORD_SETS)) for _ in range(length - len(drawn))]
    secrets.SystemRandom().shuffle(drawn)
    return "".join(drawn)


_NAMESPACE = uuid.UUID("6b1c2a52-3a0e-5d51-9d57-6d5a8f0c9b1e")


def derived_uuid(*parts: object) -> str:
    """Return the uuid that belongs to these parts, the same every time.

    What a request makes gets its ids from the request id, so a request that is carried out twice (a lost
    answer, a repeated message) meets its own rows instead of making new ones.
    """
    # As uuid.uuid5 does it, without the objects it makes on the way.
    name = "/".join(map(str, parts)).encode()
    drawn = hashlib.sha1(_NAMESPACE.bytes + name, usedforsecurity=False).hexdigest()
    variant = "89ab"[int(drawn[16], 16) & 3]
    return f"{drawn[:8]}-{drawn[8:12]}-5{drawn[13:16]}-{variant}{drawn[17:20]}-{drawn[20:32]}"


def new_seed(length: int = 512) -> bytes:
    """Return random bytes for a guest's entropy pool."""
    return secrets.token_bytes(length)
