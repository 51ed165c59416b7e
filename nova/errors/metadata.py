"""Errors of the metadata service, as guests see them."""

from __future__ import annotations

from nova.errors import BadRequest, Conflict, Forbidden, NovaError


class NoMetadata(NovaError):
    """There is nothing under that path, or nobody known asks."""

    http, ec2, template = 404, "InvalidParameterValue", "There is no metadata here."


class ForgedHeader(Forbidden):
    """A header that only a trusted proxy may send came from somebody else."""

    template = "The header {header} is not accepted from here."


class BadSignature(Forbidden):
    """A proxy's signature does not fit the instance id."""

    template = "The signature of the instance id is wrong."


class ForeignHost(Forbidden):
    """The request was meant for a server of the Internet."""

    template = "This is the metadata service, not {host}. Ask for it by its address."


class HeaderMissing(BadRequest):
    """A proxy did not say all it must, or said it twice."""

    template = "The header {header} must be given exactly once."


class PasswordUnfit(BadRequest):
    """What a guest posts as its password cannot be kept."""

    template = "The password must be text of at most {limit} bytes, sent by POST."


class PasswordKept(Conflict):
    """The password was told before."""

    template = "A password was told already."


class TooManyRequests(NovaError):
    """One guest asks too much; the others are not to suffer."""

    http, ec2, retry_after = 429, "RequestLimitExceeded", 1
    template = "Too many requests from this guest; please try again in a second."


class VendorDataMissing(NovaError):
    """A service of the operator that must answer did not."""

    template = "The vendor data of {target} could not be read."
