"""Errors that only the HTTP edges know: who the caller is, what was sent, which version was asked for."""

from __future__ import annotations

from nova.errors import BadRequest, NovaError


class Unauthorized(NovaError):
    """The caller did not prove who it is.  ``challenge`` is the ``WWW-Authenticate`` header, if any."""

    http, ec2 = 401, "AuthFailure"
    template = "The request you have made requires authentication."

    @property
    def challenge(self) -> str:
        """Return the ``WWW-Authenticate`` header to answer with, or an empty string."""
        return str(self.facts.get("challenge") or "")


class MalformedVersion(BadRequest):
    """The microversion header holds no version number; answered without version headers."""

    template = "API Version String '{text}' is of invalid format. Must be of format MajorNum.MinorNum."


class VersionNotSupported(NovaError):
    """The microversion asked for is outside of what this release serves."""

    http, ec2 = 406, "InvalidRequest"
    template = "Version {version} is not supported by the API. Minimum is {minimum} and maximum is {maximum}."


class RouteNotFound(NovaError):
    """The operation does not exist in the microversion asked for."""

    http, ec2, template = 404, "InvalidAction", "The resource could not be found."


class Gone(NovaError):
    """The operation was taken out of the API for good."""

    http, ec2, template = (
        410,
        "InvalidAction",
        "This resource is no longer available. No forwarding address is given.",
    )


class BodyTooLarge(NovaError):
    """The request body is longer than ``limit`` bytes."""

    http, ec2, template = 413, "RequestLimitExceeded", "Request is too large: the limit is {limit} bytes."


class UnsupportedMediaType(NovaError):
    """The request body is not JSON by its Content-Type."""

    http, ec2, template = (
        415,
        "InvalidRequest",
        "Unsupported Content-Type {content_type}; send application/json.",
    )


class MalformedBody(BadRequest):
    """The request body cannot be read as what the operation needs."""

    template = "Malformed request body"


class NoSuchAction(BadRequest):
    """The action named in the body is not one of this resource."""

    template = "There is no such action: {action}"


class InvalidInput(BadRequest):
    """The request does not fit its JSON schema."""

    template = "{reason}"


class ProjectMismatch(BadRequest):
    """The project in the path is not the one the caller is authenticated for."""

    template = (
        "Malformed request URL: URL's project_id '{path}' doesn't match Context's project_id '{context}'"
    )


class PolicyForbids(NovaError):
    """A policy rule says no."""

    http, ec2, template = 403, "UnauthorizedOperation", "Policy doesn't allow {rule} to be performed."


class IdentityUnavailable(NovaError):
    """The identity service does not answer."""

    http, ec2, retry_after = 503, "Unavailable", 5
    template = "The identity service does not answer at the moment; please try again."
