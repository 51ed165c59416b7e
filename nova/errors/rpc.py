"""Errors of the messages between daemons themselves."""

from __future__ import annotations

from nova.errors import NovaError, Unavailable


class InternalError(NovaError):
    """A daemon met something nobody foresaw.  Its log has the traceback under the request id."""

    template = "Something went wrong that was not foreseen. The logs tell more under {request_id}."


class NoAnswer(Unavailable):
    """A daemon took a request, or may have, and gave no answer in time."""

    template = "{part} did not answer in time. Whether the request was carried out is not known."


class UnsupportedVersion(Unavailable):
    """The other side is older than what was asked of it; an upgrade is on its way."""

    template = "{part} does not know {method} (since {since}; it is at {known}) yet. Please try again later."


class BadMessage(NovaError):
    """A message could be read, but not understood."""

    template = "{part} could not understand a message: {reason}."
