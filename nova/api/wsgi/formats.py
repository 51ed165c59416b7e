"""String formats that the JSON schemas of the Compute API name."""

from __future__ import annotations

import base64
import binascii
import datetime
import ipaddress
import re
import unicodedata
import uuid
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import urlsplit

_UUID = re.compile(
    r"[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}", re.ASCII
)
_LOST_PLUS = re.compile(r" (?=\d\d:?\d\d$)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def is_uuid(value: str) -> bool:
    """Accept a uuid with or without dashes, in any case."""
    return _UUID.fullmatch(value) is not None


def canonical_uuid(value: str) -> str:
    """Return a uuid in lower case with dashes; raise ``ValueError`` for anything else."""
    return str(uuid.UUID(value))


def is_date_time(value: str) -> bool:
    """Accept ISO 8601 with offset, fraction, ``Z``, or a date alone."""
    try:
        parse_date_time(value)
    except ValueError:
        return False
    return True


def parse_date_time(value: str) -> datetime.datetime:
    """Return the moment as UTC; a value without offset is taken as UTC.  Raises ``ValueError``."""
    if not _DATE.match(value):
        raise ValueError(f"{value!r} is not a date")
    # A plus sign that a client did not escape in a query string arrives as a blank.
    moment = datetime.datetime.fromisoformat(_LOST_PLUS.sub("+", value) if "T" in value else value)
    if moment.tzinfo is None:
        return moment.replace(tzinfo=datetime.UTC)
    try:
        return moment.astimezone(datetime.UTC)
    except OverflowError as error:
        raise ValueError(f"{value!r} is outside of the calendar") from error


def is_base64(value: str) -> bool:
    """Accept what decodes; line breaks are allowed, as encoders make them."""
    try:
        base64.b64decode(value.encode("ascii").translate(None, b"\r\n \t"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return False
    return True


def is_cidr(value: str) -> bool:
    """Accept an address with ``/n`` and no blanks."""
    if "/" not in value or any(ch.isspace() for ch in value):
        return False
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return True


def is_ipv4(value: str) -> bool:
    """Accept a dotted IPv4 address."""
    try:
        ipaddress.IPv4Address(value)
    except ValueError:
        return False
    return True


def is_ipv6(value: str) -> bool:
    """Accept an IPv6 address without zone."""
    try:
        ipaddress.IPv6Address(value)
    except ValueError:
        return False
    return "%" not in value


def is_uri(value: str) -> bool:
    """Accept what has a scheme and a host."""
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return bool(parts.scheme and parts.netloc)


def is_regex(value: str) -> bool:
    """Accept a regular expression that is not empty and compiles."""
    try:
        re.compile(value)
    except (re.error, RecursionError, OverflowError):
        return False
    return bool(value)


@lru_cache(maxsize=4096)
def _printable(char: str) -> bool:
    category = unicodedata.category(char)
    return category == "Zs" or category[0] not in "CZ"


def is_printable(value: str) -> bool:
    """Accept any printable characters (no Unicode C*, and of Z* only Zs), or none at all."""
    return (value.isascii() and value.isprintable()) or all(map(_printable, value))


def is_name(value: str) -> bool:
    """Accept printable characters with no blank at either end."""
    return bool(value) and value == value.strip() and is_printable(value)


def is_loose_name(value: str) -> bool:
    """Accept printable characters of which at least one is not blank (the ``/v2`` endpoint)."""
    return bool(value.strip()) and is_printable(value)


def is_zone_name(value: str) -> bool:
    """Accept a name without a colon."""
    return ":" not in value and is_name(value)


def is_loose_zone_name(value: str) -> bool:
    """Accept a loose name without a colon."""
    return ":" not in value and is_loose_name(value)


FORMATS: dict[str, Callable[[str], bool]] = {
    "uuid": is_uuid,
    "date-time": is_date_time,
    "base64": is_base64,
    "cidr": is_cidr,
    "ipv4": is_ipv4,
    "ipv6": is_ipv6,
    "uri": is_uri,
    "regex": is_regex,
    "printable": is_printable,
    "name": is_name,
    "name_with_leading_trailing_spaces": is_loose_name,
    "az_name": is_zone_name,
    "az_name_with_leading_trailing_spaces": is_loose_zone_name,
}
