"""Errors of drivers and hosts."""

from __future__ import annotations

from nova.errors import Conflict, NovaError, Unavailable


class GuestNotFound(NovaError):
    """The hypervisor does not know this guest."""

    http, ec2, template = 404, "InvalidInstanceID.NotFound", "There is no guest of instance {instance}."


class HypervisorUnavailable(Unavailable):
    """The hypervisor does not answer."""

    template = "The hypervisor of host {host} does not answer: {reason}"


class BuildFailed(NovaError):
    """A guest could not be brought up on this host; another host may do."""

    template = "The server could not be built on host {host}: {reason}"


class ImageUnusable(NovaError):
    """The image cannot be booted on any host (broken, hostile, too large)."""

    http, ec2, template = 400, "InvalidAMIID.Malformed", "Image {image} cannot be used: {reason}"


class HostFull(Conflict):
    """The host has no room left for what was asked."""

    ec2, template = "InsufficientInstanceCapacity", "Host {host} has not enough {resource} left: {reason}"


class ActionFailed(NovaError):
    """The hypervisor refused or failed an action."""

    template = "The action {action} failed on host {host}: {reason}"


class NoConsole(Conflict):
    """A guest that does not run has no screen and no serial port to show."""

    template = "The server has no console at the moment: {reason}"


class NotCapable(NovaError):
    """The host's driver cannot do that."""

    http, ec2 = 501, "UnsupportedOperation"
    template = "The host of this server cannot do that ({capability} is not supported by its driver)."
