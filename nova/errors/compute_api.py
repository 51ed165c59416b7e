"""Errors of what the Compute API itself decides about requests on flavors, hosts, images and quotas."""

from __future__ import annotations

from nova.errors import BadRequest, Conflict, Forbidden, NotFound


class FlavorAccessPointless(Conflict):
    """Everybody may use the flavor already."""

    template = "Can not add access to a public flavor."


class ExtraSpecInvalid(BadRequest):
    """An extra spec of a known namespace has a wrong name or value."""

    template = "Validation failed; {reason}"


class ServiceUnchangeable(BadRequest):
    """Only compute services are enabled, disabled and forced down."""

    template = "Updating a {binary} service is not supported. Only nova-compute services can be updated."


class HypervisorsUnmatched(NotFound):
    template = "No hypervisor matching '{pattern}' could be found."


class HypervisorUnreachable(BadRequest):
    template = "Compute service of {host} is unavailable at this time."


class ExtensionNotFound(NotFound):
    template = "The resource could not be found."


class ImageForbidden(Forbidden):
    ec2, template = "AuthFailure", "Not authorized for image {id}."


class ConsoleTokenNotFound(NotFound):
    template = "Token not found"


class ConsoleTokenUnusable(BadRequest):
    """The one kind of console whose tokens were told below 2.31 is gone."""

    template = "The requested console type details are not accessible"
