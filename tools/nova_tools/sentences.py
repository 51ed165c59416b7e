"""What went wrong, in one sentence: for errors of the machine and of services that can come up anywhere."""

from __future__ import annotations

import errno
import urllib.error

from nova_tools.api_client import ApiError
from nova_tools.trouble import Trouble

FORESEEN = (Trouble, ApiError, OSError)
"""Errors that :func:`explained` has words for; any other is a fault of ours and shows where it happened."""


def explained(error: Trouble | ApiError | OSError) -> Trouble:
    """Return what is wrong and what to do about it."""
    if isinstance(error, Trouble):
        return error
    if isinstance(error, ApiError):
        return Trouble(
            f"{error.method} {error.url} was answered with {error.status}: {error.words}",
            "Look at './tools/cloud status' and './tools/cloud logs'",
        )
    if isinstance(error, urllib.error.URLError | TimeoutError | ConnectionError):
        return Trouble(
            f"A service of the cloud does not answer: {getattr(error, 'reason', None) or error}",
            "See with './tools/cloud status' which, and start it with './tools/cloud up'",
        )
    return _of_the_machine(error)


def _of_the_machine(error: OSError) -> Trouble:
    place = f" ({error.filename})" if error.filename else ""
    if error.errno == errno.ENOSPC:
        return Trouble(f"The disk is full{place}", "Free some gigabytes and run this again")
    if error.errno in (errno.EACCES, errno.EPERM):
        return Trouble(
            f"This user may not read or write what is needed{place}", "Run it again with sudo or as root"
        )
    if error.errno == errno.EROFS:
        return Trouble(
            f"The file system cannot be written to{place}", "Mount it read-write, or choose another place"
        )
    return Trouble(f"The machine refused something: {error}", "Put that right and run this again")
