"""Making key pairs and reading public keys; nothing here is stored.

Fingerprints are what clients have always shown: for ssh the MD5 of the key's blob, for x509 the SHA-1 of the
certificate, in pairs of hexadecimal digits with colons.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import hashlib
from typing import TYPE_CHECKING

from nova.concurrency import in_native_thread
from nova.errors.admin import KeyPairInvalid

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

_BITS = 2048
_YEARS = 10
_UPN = "1.3.6.1.4.1.311.20.2.3"
"""Object identifier of a user principal name, by which Windows guests know the user of a certificate."""


def ssh_fingerprint(public_key: str) -> str:
    """Return the fingerprint of ``type blob [comment]``; raises ``KeyPairInvalid``."""
    words = public_key.strip().split(None, 2)
    if len(words) < 2 or "\n" in public_key.strip():
        raise KeyPairInvalid(reason="failed to generate fingerprint")
    try:
        blob = base64.b64decode(words[1], validate=True)
    except (binascii.Error, ValueError):
        raise KeyPairInvalid(reason="failed to generate fingerprint") from None
    kind = words[0].encode()
    # The blob repeats the type with its length in front (RFC 4253, 6.6), and more must follow.
    named = len(kind).to_bytes(4, "big") + kind
    if not blob.startswith(named) or len(blob) <= len(named) + 4:
        raise KeyPairInvalid(reason="failed to generate fingerprint")
    return _pairs(hashlib.md5(blob, usedforsecurity=False).digest())


def x509_fingerprint(certificate: str) -> str:
    """Return the fingerprint of a certificate in PEM; raises ``KeyPairInvalid``."""
    from cryptography import x509

    try:
        found = x509.load_pem_x509_certificate(certificate.encode())
    except ValueError:
        raise KeyPairInvalid(reason="failed to generate X509 fingerprint") from None
    return _x509_fingerprint(found)


def new_ssh(comment: str) -> tuple[str, str, str]:
    """Make an RSA pair; return private key (PEM), public key and fingerprint."""
    from cryptography.hazmat.primitives import serialization

    key = _new_rsa()
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    text = f"{public.decode()} {comment}"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    return private.decode(), text, ssh_fingerprint(text)


def new_x509(user: str, now: datetime.datetime) -> tuple[str, str, str]:
    """Make an RSA key and a certificate for client logins signed by itself; as :func:`new_ssh`."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = _new_rsa()
    # A common name has at most 64 bytes (RFC 5280); the whole name is the principal's.
    common = user.encode()[:64].decode(errors="ignore") or "user"
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
    upn = x509.OtherName(x509.ObjectIdentifier(_UPN), _utf8_string(f"{user}@localhost"))
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365 * _YEARS))
        .add_extension(x509.SubjectAlternativeName([upn]), critical=False)
        .add_extension(usage, critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = certificate.public_bytes(serialization.Encoding.PEM).decode()
    return private.decode(), public, _x509_fingerprint(certificate)


def _new_rsa() -> RSAPrivateKey:
    from cryptography.hazmat.primitives.asymmetric import rsa

    return in_native_thread(rsa.generate_private_key, public_exponent=65537, key_size=_BITS)


def _utf8_string(text: str) -> bytes:
    """Return text as a DER ``UTF8String`` (X.690)."""
    content = text.encode()
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([0x82]) + size.to_bytes(2, "big")
    return b"\x0c" + length + content


def _x509_fingerprint(certificate: x509.Certificate) -> str:
    from cryptography.hazmat.primitives import serialization

    der = certificate.public_bytes(serialization.Encoding.DER)
    return _pairs(hashlib.sha1(der, usedforsecurity=False).digest())


def _pairs(digest: bytes) -> str:
    return digest.hex(":")
